import { type Authority, assertMayTouchVolume } from '../authority.ts'
import type { ExclusionScope } from '../exclusion-scope.ts'
import { HostError } from '../host-error.ts'
import type { Power } from '../machine.ts'
import type { Volume, VolumeEntry, VolumeSpecification } from '../volume.ts'
import type { Volumes } from '../volumes.ts'
import type { VolumeDisks, VolumePlugs } from './medium.ts'
import type { VolumeFile } from './volume-file.ts'
import type { VolumeFolders } from './volume-folders.ts'

export interface StoredVolumesOptions {
  folders: VolumeFolders
  disks: VolumeDisks
  plugs: VolumePlugs
  exclusion: ExclusionScope
  owner: string
  clock: { now(): Date }
}

const isOn = (power: Power) => power === 'running' || power === 'paused'

/** Volumes as folders. What says for which machine a disk is kept is written before the disk is put in, and after it is out. */
export class StoredVolumes implements Volumes {
  constructor(private readonly options: StoredVolumesOptions) {}

  async inventory(): Promise<VolumeEntry[]> {
    const { folders, owner } = this.options
    const listed = await folders.list()
    const entries = await Promise.all(
      listed.folders.map(async (volumeId) => ({
        volumeId,
        ownership: (await folders.read(volumeId))?.ownership ?? null,
      })),
    )
    const left = listed.leftovers.filter((id) => !listed.folders.includes(id))
    const ownershipOf = (volumeId: string) => ({ owner, volumeId, epoch: 0, generation: 0, createdAt: '' })
    return [...entries, ...left.map((volumeId) => ({ volumeId, ownership: ownershipOf(volumeId) }))]
  }

  async look(volumeId: string): Promise<Volume> {
    const { folders, plugs, disks } = this.options
    const file = await folders.read(volumeId)
    if (file === null) return { ...absent, volumeId }
    const path = folders.disk(volumeId, file)
    const { ownership, bytes, contentNumber, environmentId } = file
    const isPresent = file.phase === 'present'
    return {
      ...{ volumeId, ownership, bytes, contentNumber, environmentId },
      phase: isPresent ? 'present' : 'partial',
      usedBytes: isPresent ? await disks.usedBytes(path) : 0,
      isPlugged: environmentId !== null && (await plugs.isPlugged(environmentId, path)),
    }
  }

  async create(specification: VolumeSpecification, authority: Authority): Promise<void> {
    const { volumeId, sourceId } = specification
    const { exclusion } = this.options
    await exclusion.volume(volumeId, async () => {
      const file = await this.own(volumeId, authority)
      if (file?.phase === 'present') return
      if (sourceId === null) await this.make(specification, file, null, authority)
      else
        await exclusion.volume(sourceId, async () =>
          this.make(specification, file, await this.sourceOf(sourceId), authority),
        )
    })
  }

  attach(volumeId: string, environmentId: string, authority: Authority): Promise<void> {
    const { exclusion, folders, plugs } = this.options
    return exclusion.machine(environmentId, () =>
      exclusion.volume(volumeId, async () => {
        const file = await this.present(volumeId, authority)
        if (file.environmentId !== null && file.environmentId !== environmentId)
          throw kept(volumeId, file.environmentId)
        await authority.assertHeld()
        await this.write(volumeId, { ...file, environmentId }, authority)
        const path = folders.disk(volumeId, file)
        if (!isOn(await plugs.power(environmentId)) || (await plugs.isPlugged(environmentId, path))) return
        await authority.assertHeld()
        await plugs.plug(environmentId, volumeId, path)
      }),
    )
  }

  detach(volumeId: string, authority: Authority): Promise<void> {
    return this.withMachine(volumeId, authority, async (file) => {
      const { environmentId } = file
      if (environmentId === null) return
      const { folders, plugs } = this.options
      const path = folders.disk(volumeId, file)
      if (await plugs.isPlugged(environmentId, path)) {
        await this.refuseSuspended(environmentId)
        await authority.assertHeld()
        await plugs.unplug(environmentId, path)
      }
      await authority.assertHeld()
      await this.write(volumeId, { ...file, environmentId: null }, authority)
    })
  }

  grow(volumeId: string, bytes: number, authority: Authority): Promise<void> {
    return this.withMachine(volumeId, authority, async (file) => {
      if (bytes <= file.bytes) return
      const { environmentId } = file
      const { folders, plugs, disks } = this.options
      const path = folders.disk(volumeId, file)
      await disks.assertRoom(`enlarging the volume ${volumeId}`, bytes - file.bytes)
      if (environmentId !== null && (await plugs.isPlugged(environmentId, path))) {
        await this.refuseSuspended(environmentId)
        await authority.assertHeld()
        await plugs.resize(environmentId, path, bytes)
      } else {
        await authority.assertHeld()
        await disks.grow(path, bytes)
      }
      await this.write(volumeId, { ...file, bytes }, authority)
    })
  }

  clear(volumeId: string, contentNumber: number, authority: Authority): Promise<void> {
    return this.withMachine(volumeId, authority, async (file) => {
      if (contentNumber <= file.contentNumber) return
      const { folders, plugs, disks } = this.options
      const { environmentId } = file
      const before = folders.disk(volumeId, file)
      if (environmentId !== null && (await plugs.isPlugged(environmentId, before)))
        throw kept(volumeId, environmentId)
      const emptied = { ...file, contentNumber }
      await authority.assertHeld()
      await disks.make(folders.disk(volumeId, emptied), volumeId, file.bytes)
      await authority.assertHeld()
      await this.write(volumeId, emptied, authority)
      await folders.clearOthers(volumeId, emptied)
    })
  }

  async remove(volumeId: string, authority: Authority): Promise<void> {
    const { exclusion, folders } = this.options
    await exclusion.volume(volumeId, async () => {
      const file = await this.own(volumeId, authority)
      if (file !== null && file.environmentId !== null) throw kept(volumeId, file.environmentId)
      await authority.assertHeld()
      // A folder that does not name its owner is left alone.
      if (file === null) await folders.clear(volumeId)
      else await folders.remove(volumeId)
    })
  }

  private async make(
    { volumeId, bytes, sourceId }: VolumeSpecification,
    begun: VolumeFile | null,
    source: VolumeFile | null,
    authority: Authority,
  ): Promise<void> {
    const { folders, disks, owner, clock } = this.options
    const from = source === null || sourceId === null ? null : folders.disk(sourceId, source)
    if (from !== null) await disks.assertRoom(`copying the volume ${sourceId}`, await disks.usedBytes(from))
    const { epoch, generation } = authority
    const ownership = { owner, volumeId, epoch, generation, createdAt: clock.now().toISOString() }
    const size = Math.max(bytes, source?.bytes ?? 0)
    const file: VolumeFile = {
      ...{ ownership, phase: 'making', bytes: size, contentNumber: 0, environmentId: null },
    }
    await authority.assertHeld()
    if (begun === null) await folders.open(volumeId, file)
    else await folders.write(volumeId, file)
    const path = folders.disk(volumeId, file)
    await authority.assertHeld()
    if (from === null) await disks.make(path, volumeId, size)
    else await disks.copy(from, path, size)
    await authority.assertHeld()
    await folders.write(volumeId, { ...file, phase: 'present' })
  }

  private async sourceOf(sourceId: string): Promise<VolumeFile> {
    const file = await this.options.folders.read(sourceId)
    if (file?.phase !== 'present' || file.ownership.owner !== this.options.owner)
      throw new HostError('volume_missing', `there is no volume ${sourceId} to copy on this host`)
    if (file.environmentId !== null) throw kept(sourceId, file.environmentId)
    return file
  }

  /** The work under the locks of the volume and of the machine that it is kept for. */
  private async withMachine(
    volumeId: string,
    authority: Authority,
    work: (file: VolumeFile) => Promise<void>,
  ): Promise<void> {
    const { exclusion, folders } = this.options
    const seen = (await folders.read(volumeId))?.environmentId ?? null
    const underLock = () =>
      exclusion.volume(volumeId, async () => {
        const file = await this.present(volumeId, authority)
        if (file.environmentId !== seen)
          throw new HostError(
            'host_refused',
            `the volume ${volumeId} has changed hands: it is looked at again`,
          )
        await work(file)
      })
    await (seen === null ? underLock() : exclusion.machine(seen, underLock))
  }

  private async refuseSuspended(environmentId: string): Promise<void> {
    if ((await this.options.plugs.power(environmentId)) !== 'suspended') return
    throw new HostError(
      'host_refused',
      `the machine ${environmentId} is suspended, and its memory knows the volume: start it or stop it first`,
    )
  }

  private write(volumeId: string, file: VolumeFile, { epoch, generation }: Authority): Promise<void> {
    const ownership = { ...file.ownership, epoch, generation }
    return this.options.folders.write(volumeId, { ...file, ownership })
  }

  /** What is known of the volume, if this authority may change it; null where there is none. */
  private async own(volumeId: string, authority: Authority): Promise<VolumeFile | null> {
    await authority.assertHeld()
    const file = await this.options.folders.read(volumeId)
    if (file !== null) {
      const { ownership } = file
      assertMayTouchVolume({ volumeId, phase: 'present', ownership }, this.options.owner, authority)
    }
    return file
  }

  private async present(volumeId: string, authority: Authority): Promise<VolumeFile> {
    const file = await this.own(volumeId, authority)
    if (file?.phase === 'present') return file
    throw new HostError('volume_missing', `there is no volume ${volumeId} on this host`)
  }
}

const absent: Omit<Volume, 'volumeId'> = {
  ownership: null,
  phase: 'absent',
  bytes: 0,
  usedBytes: 0,
  contentNumber: 0,
  environmentId: null,
  isPlugged: false,
}

function kept(volumeId: string, environmentId: string): HostError {
  return new HostError('host_refused', `the volume ${volumeId} is kept for the machine ${environmentId}`)
}
