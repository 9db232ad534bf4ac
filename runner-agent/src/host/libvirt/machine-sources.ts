import type { Authority } from '../authority.ts'
import type { LayerPlace } from './layers/layer-place.ts'
import type { MachineDisk } from './machine-disk.ts'
import type { MachineSight } from './machine-sight.ts'

/** What machines' disks stand on, when they start. */
export class MachineSources {
  constructor(
    private readonly sight: MachineSight,
    private readonly disks: MachineDisk,
    private readonly place: LayerPlace,
  ) {}

  /**
   * Does the work that starts a machine whose disk may stand on layers. Throws HostError `layer_damaged` when one of them
   * is not as it was made.
   */
  async whileStarting<Result>(
    environmentId: string,
    authority: Authority,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const folder = this.sight.folder(environmentId)
    const file = await folder.readMachine()
    const source = file?.given?.source
    if (file?.given == null || source === undefined) return work()
    const { layerId } = source
    await this.place.integrity.checkChain(layerId)
    if (source.state === 'resuming') {
      // Nobody got the machine that was to go on from memory: what it wrote is of no use.
      const { lasting } = await this.disks.definitions(environmentId)
      const base = { path: this.place.folder(layerId).disk, isInUse: false }
      await authority.assertHeld()
      await this.disks.replace(environmentId, lasting.diskPath, base, source.virtualBytes)
    }
    if (source.state !== 'ran') {
      await authority.assertHeld()
      await folder.writeMachine({ ...file, given: { ...file.given, source: { ...source, state: 'ran' } } })
    }
    return this.place.integrity.whileStarting(layerId, work)
  }
}
