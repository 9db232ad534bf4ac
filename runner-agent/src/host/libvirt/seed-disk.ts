import { posix } from 'node:path'
import { assertNever } from '@hearth/foundation'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import type { Image } from '../image.ts'
import { cloudInitFiles } from './cloud-init.ts'
import { type Seed, seedArchive, seedFiles } from './seed.ts'

/** Path of a machine's seed disk. */
export function seedDiskPath(folder: string, format: Image['format']): string {
  switch (format) {
    case 'seed':
      return posix.join(folder, 'seed.tar')
    case 'cloud-init':
      return posix.join(folder, 'seed.iso')
    default:
      return assertNever(format)
  }
}

/** Writes the seed disk; it holds the guest's private host key, so only the host's administrator reads it. */
export async function writeSeedDisk(
  runner: CommandRunner,
  folder: string,
  format: Image['format'],
  seed: Seed,
): Promise<void> {
  const path = seedDiskPath(folder, format)
  switch (format) {
    case 'seed':
      return runner.writeFile(path, seedArchive(seedFiles(seed)), 0o600)
    case 'cloud-init':
      return writeNoCloudDisk(runner, folder, path, seed)
  }
}

const makers = 'for maker in genisoimage mkisofs "xorriso -as mkisofs"'

async function writeNoCloudDisk(
  runner: CommandRunner,
  folder: string,
  path: string,
  seed: Seed,
): Promise<void> {
  const draft = posix.join(folder, 'cloud-init')
  for (const [name, content] of Object.entries(cloudInitFiles(seed))) {
    await runner.writeFile(posix.join(draft, name), content, 0o600)
  }
  const script =
    `umask 077; ${makers}; do command -v "\${maker%% *}" >/dev/null || continue; ` +
    '$maker -quiet -output "$1.new" -volid cidata -joliet -rock "$2/meta-data" "$2/user-data" && mv -- "$1.new" "$1"; ' +
    'exit; done; echo "none of genisoimage, mkisofs and xorriso is installed" >&2; exit 1'
  const result = await runner.run(['sh', '-c', script, 'sh', path, draft])
  await runner.remove(draft)
  if (result.exitCode !== 0) {
    throw new HostError('host_refused', `the cloud-init disk cannot be made: ${result.stderr.trim()}`)
  }
}
