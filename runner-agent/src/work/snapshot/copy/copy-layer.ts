import type { SnapshotOrder } from '@hearth/contract'
import { HostError } from '../../../host/host-error.ts'
import type { Layers } from '../../../host/layers.ts'
import type { Task } from '../../work.ts'
import { LayerClient } from './client.ts'
import { openKey } from './grants.ts'

/** Copies the disk of the layer of the order from the runner in its source, or goes on with a copy that was cut. */
export async function copyLayer(
  { order, authority, interrupted }: Pick<Task<SnapshotOrder>, 'order' | 'authority' | 'interrupted'>,
  layers: Layers,
  sealingKey: string,
  progress: (doneBytes: number, totalBytes: number) => void,
): Promise<void> {
  if (order.source.kind !== 'runner') throw new Error('the order names no runner to copy from')
  const { grant } = order.source
  const key = openKey(grant.sealedKey, sealingKey, grant.id)
  if (key === null) throw new HostError('host_refused', 'the grant to copy the layer is not for this runner')
  using client = new LayerClient(grant, key, interrupted)
  const manifest = await client.manifest()
  if (manifest.layerId !== order.id)
    throw new HostError('host_refused', `the other runner has another layer: ${manifest.layerId}`)
  await layers.beginCopy(manifest, authority)
  const { bytes } = manifest.facts.disk
  for (let offset = await layers.receivedBytes(order.id, 'disk'); offset < bytes; ) {
    progress(offset, bytes)
    const piece = await client.piece(offset, bytes - offset)
    await layers.write(order.id, 'disk', offset, piece, authority)
    offset += piece.length
  }
  await layers.completeCopy(order.id, authority)
  progress(bytes, bytes)
}
