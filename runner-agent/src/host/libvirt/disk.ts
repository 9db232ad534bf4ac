import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'

/** What a new disk stands on. */
export interface DiskBase {
  path: string
  /** Whether a machine writes to it: then only its path is taken down, and it is not opened. */
  isInUse: boolean
}

/** Creates a qcow2 disk as an overlay over its base, so that nothing is copied. A file that is there is replaced. */
export async function createDisk(
  runner: CommandRunner,
  base: DiskBase,
  path: string,
  bytes: number,
): Promise<void> {
  const result = await runner.run([
    // Only QEMU may read the disk; libvirt makes QEMU its owner while the machine runs.
    'sh',
    '-c',
    'umask 077; exec "$@"',
    'sh',
    'qemu-img',
    'create',
    '-q',
    ...(base.isInUse ? ['-u'] : []),
    '-f',
    'qcow2',
    '-b',
    base.path,
    '-F',
    'qcow2',
    path,
    String(bytes),
  ])
  if (result.exitCode !== 0) {
    throw new HostError('host_refused', `the disk cannot be made: ${result.stderr.trim()}`)
  }
}
