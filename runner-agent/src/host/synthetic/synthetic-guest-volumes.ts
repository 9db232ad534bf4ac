import { mkdir, readlink, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type GuestVolume, type GuestVolumes, VolumeRefused } from '../../guest/volume.ts'
import type { VolumeFolders } from '../volumes/volume-folders.ts'
import type { MachineStore } from './machine-store.ts'

/** Volumes of a synthetic guest: below `/home`, which commands called into it see, the mount path is a link to the volume's folder. */
export class SyntheticGuestVolumes implements GuestVolumes {
  constructor(
    private readonly environmentId: string,
    private readonly machines: MachineStore,
    private readonly volumes: Pick<VolumeFolders, 'keptFor'> | null,
    private readonly answering: (signal: AbortSignal) => Promise<void>,
  ) {}

  async mount({ volumeId, mountPath }: GuestVolume, signal: AbortSignal): Promise<void> {
    await this.answering(signal)
    const kept = (await this.volumes?.keptFor(this.environmentId)) ?? []
    const disk = kept.find((volume) => volume.volumeId === volumeId)?.path
    if (disk === undefined)
      throw new VolumeRefused('guest_misbehaved', 'its disk does not appear in the guest')
    const at = this.placeOf(mountPath)
    if (at === null) return
    const before = await readlink(at).catch(() => null)
    if (before === disk) return
    await mkdir(dirname(at), { recursive: true })
    await rm(at, { recursive: true, force: true })
    await symlink(disk, at)
  }

  async unmount({ mountPath }: GuestVolume, _: boolean, signal: AbortSignal): Promise<void> {
    await this.answering(signal)
    const at = this.placeOf(mountPath)
    if (at === null || (await readlink(at).catch(() => null)) === null) return
    await rm(at)
    await mkdir(at)
  }

  private placeOf(mountPath: string): string | null {
    if (!mountPath.startsWith('/home/')) return null
    return join(this.machines.folderOf(this.environmentId), mountPath)
  }
}
