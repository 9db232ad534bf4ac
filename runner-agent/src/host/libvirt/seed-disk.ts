import { posix } from 'node:path'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import type { Image } from '../image.ts'
import { cloudInitFiles } from './cloud-init.ts'
import { type Seed, seedArchive, seedFiles } from './seed.ts'

export interface SeedDisk {
  path: string
  format: 'disk' | 'cdrom'
}

/** Where a machine's seed disk stands, and what kind of disk it is. */
export function seedDisk(folder: string, format: Image['format']): SeedDisk {
  switch (format) {
    case 'seed':
      return { path: posix.join(folder, 'seed.tar'), format: 'disk' }
    case 'cloud-init':
      return { path: posix.join(folder, 'seed.iso'), format: 'cdrom' }
  }
}

/** Writes the seed disk; it holds the guest's private host key, so only the host's administrator reads it. */
export async function writeSeedDisk(
  runner: CommandRunner,
  folder: string,
  format: Image['format'],
  seed: Seed,
): Promise<void> {
  const { path } = seedDisk(folder, format)
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
