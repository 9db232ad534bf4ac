import { HearthError } from '@hearth/foundation'
import type { Database } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { findFirstOrganization } from './queries.ts'

/** Throws `invalid` when this control plane's key is not the one that the database was written with. */
export async function checkEncryptionKey(database: Database, encryption: Encryption): Promise<void> {
  const first = await findFirstOrganization(database)
  if (first === undefined) return
  try {
    encryption.decrypt(first.certificate_authority_key, first.id)
  } catch (cause) {
    throw new HearthError(
      'invalid',
      'the encryption key is not the one this database was written with: give every control plane the same HEARTH_ENCRYPTION_KEY_FILE',
      { cause },
    )
  }
}
