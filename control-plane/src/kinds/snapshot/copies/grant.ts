import type { LayerGrant, LayerOffer } from '@hearth/contract'
import { seal } from '@hearth/foundation'
import type { Encryption } from '../../../database/encryption.ts'
import type { CopySource } from '../table.ts'

/** A copy that may be made now: of which layer, for whom, and until when. */
export interface Granted {
  snapshotId: string
  readerId: string
  grantId: string
  expiresAt: string
}

/**
 * The key of a grant, in base64. It is derived for each order anew, so that it is stored nowhere, and is another one for
 * another grant, layer or reader.
 */
const keyOf = (encryption: Encryption, { snapshotId, readerId, grantId }: Granted): string =>
  encryption
    .derive(`copy of the layer ${snapshotId} for ${readerId} by the grant ${grantId}`)
    .toString('base64')

/** For the runner that has the layer. */
export function offerFor(encryption: Encryption, granted: Granted, sealingKey: string): LayerOffer {
  const { grantId: id, readerId, expiresAt } = granted
  return { id, readerId, expiresAt, sealedKey: seal(keyOf(encryption, granted), sealingKey, id) }
}

/** For the runner that copies it. */
export function grantFor(
  encryption: Encryption,
  granted: Granted,
  { host, port }: NonNullable<CopySource['address']>,
  sealingKey: string,
): LayerGrant {
  const { grantId: id, expiresAt } = granted
  return { id, host, port, expiresAt, sealedKey: seal(keyOf(encryption, granted), sealingKey, id) }
}
