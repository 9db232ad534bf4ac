import { HostError } from '../../host-error.ts'
import type { LocatedImage } from '../image-folder.ts'
import type { LayerFileContent } from './layer-file.ts'
import type { LayerPlace } from './layer-place.ts'

export interface LayerBase {
  path: string
  /** Of the disk over the layer. */
  virtualBytes: number
}

const bytesPerGibibyte = 1024 ** 3

/**
 * Does the work that puts a disk of so many bytes over a layer; the layer stays while it goes on. Throws HostError
 * `layer_damaged` when the layer is not there or not as it was made, `layer_unfit` when it does not fit.
 */
export function overLayer<Result>(
  place: LayerPlace,
  layerId: string,
  image: LocatedImage,
  bytes: number,
  work: (base: LayerBase) => Promise<Result>,
): Promise<Result> {
  return place.exclusion.layer(layerId, async () => {
    const content = await place.integrity.check(layerId)
    assertFits(layerId, content, image, bytes)
    return work({ path: place.folder(layerId).disk, virtualBytes: bytes })
  })
}

function assertFits(
  layerId: string,
  { machine }: LayerFileContent,
  image: LocatedImage,
  bytes: number,
): void {
  if (machine.imageFingerprint !== image.fingerprint) {
    throw new HostError(
      'layer_unfit',
      `the layer ${layerId} stands on the image "${machine.image}" (${machine.imageFingerprint}), ` +
        `and the machine is to have "${image.name}" (${image.fingerprint})`,
    )
  }
  if (machine.virtualBytes > bytes) {
    const gibibytes = (count: number) => Math.round((count / bytesPerGibibyte) * 10) / 10
    throw new HostError(
      'layer_unfit',
      `the disk of the layer ${layerId} has ${gibibytes(machine.virtualBytes)} GiB, and the machine is to have ${gibibytes(bytes)} GiB`,
    )
  }
}
