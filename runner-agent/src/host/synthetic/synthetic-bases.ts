import type { ExclusionScope } from '../exclusion-scope.ts'
import { HostError } from '../host-error.ts'
import { type GuestFiles, unpackGuestFiles } from './guest-files.ts'
import type { LayerStore, StoredLayer } from './layer-store.ts'
import type { StoredMachine } from './machine-store.ts'
import { emptyDiskBytes, imageFingerprint } from './sizes.ts'

/** What the disks of synthetic machines stand on: a layer, or their image. */
export class SyntheticBases {
  constructor(
    private readonly layers: LayerStore,
    private readonly exclusion: ExclusionScope,
  ) {}

  /** Does the work with a new disk over the layer, or over the image; the layer stays while the work goes on. */
  async over(
    layerId: string | null,
    { image, diskGibibytes }: NonNullable<StoredMachine['specification']>,
    work: (disk: StoredMachine['disk'], files: GuestFiles) => Promise<void>,
  ): Promise<void> {
    if (layerId === null) return work({ layerId, writtenBytes: emptyDiskBytes, state: 'fresh' }, {})
    await this.exclusion.layer(layerId, async () => {
      const layer = await this.layers.read(layerId)
      if (layer?.phase !== 'present' || layer.machine === null) {
        throw new HostError('layer_damaged', `the layer ${layerId} is not on the synthetic host`)
      }
      const { machine } = layer
      if (machine.image !== image || machine.imageFingerprint !== imageFingerprint) {
        throw new HostError('layer_unfit', `the layer ${layerId} was made from the image "${machine.image}"`)
      }
      if (machine.virtualBytes > diskGibibytes * 1024 ** 3) {
        throw new HostError(
          'layer_unfit',
          `the disk of the layer ${layerId} has ${machine.virtualBytes / 1024 ** 3} GiB, the machine ${diskGibibytes} GiB`,
        )
      }
      await this.layers.verify(layerId)
      const files = unpackGuestFiles(await this.layers.content(layerId, 'disk'))
      await work({ layerId, writtenBytes: emptyDiskBytes, state: 'fresh' }, files)
    })
  }

  /** Throws HostError `layer_damaged`; a layer whose freezing was given up has nothing that it could be compared with. */
  async check(layerId: string | null): Promise<void> {
    if (layerId === null) return
    const layer = await this.layers.read(layerId)
    if (layer === null || layer.phase === 'present') await this.layers.verify(layerId)
  }
}

/** Why a machine cannot resume from the memory of another; null where it can. */
export function memoryFault(
  layer: StoredLayer['machine'],
  machine: StoredMachine['specification'],
): string | null {
  if (layer === null || machine === null) return 'nothing says which machine the memory is of'
  if (layer.virtualCpus === machine.virtualCpus && layer.memoryMebibytes === machine.memoryMebibytes)
    return null
  return (
    `the memory is of a machine with ${layer.virtualCpus} virtual CPUs and ${layer.memoryMebibytes} MiB; ` +
    `this one has ${machine.virtualCpus} and ${machine.memoryMebibytes} MiB`
  )
}
