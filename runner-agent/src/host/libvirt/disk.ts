import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import type { LocatedImage } from './image-folder.ts'

const bytesPerGibibyte = 1024 ** 3

/**
 * Creates a machine's disk as an overlay over its image, so that nothing is copied. Only for a machine that is not
 * defined yet.
 */
export async function createDisk(
  runner: CommandRunner,
  image: LocatedImage,
  path: string,
  diskGibibytes: number,
): Promise<void> {
  const size = Math.max(image.virtualSizeBytes, diskGibibytes * bytesPerGibibyte)
  const result = await runner.run([
    // Only QEMU may read the disk; libvirt makes QEMU its owner while the machine runs.
    'sh',
    '-c',
    'umask 077; exec "$@"',
    'sh',
    'qemu-img',
    'create',
    '-q',
    '-f',
    'qcow2',
    '-b',
    image.diskPath,
    '-F',
    'qcow2',
    path,
    String(size),
  ])
  if (result.exitCode !== 0) {
    throw new HostError('host_refused', `the disk cannot be made: ${result.stderr.trim()}`)
  }
}
