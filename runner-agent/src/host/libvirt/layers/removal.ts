import type { Authority } from '../../authority.ts'
import type { Domains } from '../domains.ts'
import type { MachineDisk } from '../machine-disk.ts'
import type { LayerFileContent } from './layer-file.ts'
import type { LayerPlace } from './layer-place.ts'

/** Removes layers that nothing stands on. */
export class Removal {
  constructor(
    private readonly place: LayerPlace,
    private readonly disks: MachineDisk,
    private readonly domains: Domains,
  ) {}

  async remove(layerId: string, authority: Authority): Promise<string[]> {
    const { place } = this
    const environmentId = (await place.folder(layerId).read())?.environmentId ?? null
    const alone = () => place.exclusion.layer(layerId, () => this.removeAlone(layerId, authority))
    // A freezing that was cut may have left a disk over the layer that the machine never used.
    return environmentId === null ? alone() : place.exclusion.machine(environmentId, alone)
  }

  private async removeAlone(layerId: string, authority: Authority): Promise<string[]> {
    const { place } = this
    const content = await place.own(layerId, authority)
    const folder = place.folder(layerId)
    await authority.assertHeld()
    if (content === null) {
      await folder.clear()
      return []
    }
    await this.clearMachine(content)
    const usedBy = await place.usage.of(layerId)
    await authority.assertHeld()
    if (usedBy.length === 0) {
      await folder.remove()
      return []
    }
    const { facts } = content
    if (content.phase === 'present' && facts.memory !== null) {
      const without = { ...facts, memory: null, memoryFault: 'the memory was removed' }
      await folder.write({ ...content, facts: without })
    }
    if (content.phase === 'present') await place.runner.remove(folder.memory)
    return usedBy
  }

  private async clearMachine({ phase, environmentId }: LayerFileContent): Promise<void> {
    if (phase !== 'freezing' || environmentId === null) return
    const [domain] = await this.domains.look([environmentId])
    if (domain !== undefined && domain.power !== 'absent' && domain.ownership?.owner === this.place.owner) {
      await this.disks.clear(environmentId)
    }
  }
}
