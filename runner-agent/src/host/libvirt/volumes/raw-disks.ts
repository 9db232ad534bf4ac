import type { CommandRunner } from '../../command/command-runner.ts'
import { assertRoom } from '../../disk-reserve.ts'
import { HostError } from '../../host-error.ts'
import type { VolumeDisks } from '../../volumes/medium.ts'
import { measureFreeBytes } from '../capacity.ts'

/** A slow disk writes at least so much. */
const leastBytesPerMillisecond = 20_000

/**
 * Disks of volumes as sparse raw files. The file system is made here, before the disk has its name, so that no guest ever has
 * to decide whether a disk is to be formatted; what a guest has written is copied, and never read as a file system.
 */
export class RawDisks implements VolumeDisks {
  constructor(
    private readonly runner: CommandRunner,
    private readonly volumesFolder: string,
    private readonly diskReserveBytes: number,
  ) {}

  make(path: string, volumeId: string, bytes: number): Promise<void> {
    const script =
      'umask 077; PATH=$PATH:/usr/sbin:/sbin; rm -f -- "$1" && truncate -s "$2" -- "$1" && ' +
      'mke2fs -q -F -t ext4 -m 1 -U "$3" -- "$1" && sync -- "$1"'
    return this.sh(
      'the file system cannot be made',
      script,
      [draftOf(path), String(bytes), volumeId],
      300_000,
      path,
    )
  }

  async copy(from: string, path: string, bytes: number): Promise<void> {
    const script =
      'umask 077; rm -f -- "$1" && cp --reflink=auto --sparse=always -- "$3" "$1" && ' +
      '{ [ "$(stat -c %s -- "$1")" -ge "$2" ] || truncate -s "$2" -- "$1"; } && sync -- "$1"'
    const milliseconds = 300_000 + (await this.usedBytes(from)) / leastBytesPerMillisecond
    await this.sh(
      'the volume cannot be copied',
      script,
      [draftOf(path), String(bytes), from],
      milliseconds,
      path,
    )
  }

  async grow(path: string, bytes: number): Promise<void> {
    const { exitCode, stderr } = await this.runner.run(['truncate', '-s', `>${bytes}`, '--', path])
    if (exitCode !== 0) throw new HostError('host_refused', `the volume cannot grow: ${stderr.trim()}`)
  }

  async usedBytes(path: string): Promise<number> {
    const { exitCode, stdout } = await this.runner.run(['stat', '-c', '%b %B', '--', path])
    const [blocks, size] = stdout.trim().split(' ').map(Number)
    if (exitCode === 0 && blocks !== undefined && size !== undefined) return blocks * size
    throw new HostError('volume_missing', `the disk of the volume at ${path} is not there`)
  }

  async assertRoom(what: string, bytes: number): Promise<void> {
    const { runner, volumesFolder, diskReserveBytes } = this
    await runner.run(['mkdir', '-p', '-m', '711', '--', volumesFolder])
    assertRoom(what, bytes, await measureFreeBytes(runner, volumesFolder), diskReserveBytes)
  }

  private async sh(
    what: string,
    script: string,
    words: readonly string[],
    timeoutMilliseconds: number,
    path: string,
  ): Promise<void> {
    const { exitCode, stderr } = await this.runner.run(['sh', '-c', script, 'sh', ...words], {
      timeoutMilliseconds,
    })
    if (exitCode !== 0) {
      const code = /No space left/.test(stderr) ? 'disk_full' : 'host_refused'
      throw new HostError(code, `${what}: ${stderr.trim().slice(0, 500)}`)
    }
    await this.runner.rename(draftOf(path), path)
  }
}

const draftOf = (path: string) => `${path}.making`
