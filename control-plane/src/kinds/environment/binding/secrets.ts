import type { DatabaseTransaction, Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'

const contextOf = (claimId: string, name: string) => `${claimId}:${name}`

/** Stores the secret variables of a new claim. */
export async function writeBindingSecrets(
  tx: DatabaseTransaction,
  encryption: Encryption,
  claimId: string,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const rows = Object.entries(secrets).map(([name, value]) => ({
    claim_id: claimId,
    name,
    value: encryption.encrypt(value, contextOf(claimId, name)),
  }))
  if (rows.length > 0) await tx.insertInto('claim_secrets').values(rows).execute()
}

/** In plain text: only to be sealed for a runner. */
export async function readBindingSecrets(
  queryable: Queryable,
  encryption: Encryption,
  claimId: string,
): Promise<Record<string, string>> {
  const rows = await queryable
    .selectFrom('claim_secrets')
    .selectAll()
    .where('claim_id', '=', claimId)
    .execute()
  return Object.fromEntries(
    rows.map(({ name, value }) => [name, encryption.decrypt(value, contextOf(claimId, name))]),
  )
}

/** Of a claim that is over. */
export async function forgetBindingSecrets(tx: DatabaseTransaction, claimId: string): Promise<void> {
  await tx.deleteFrom('claim_secrets').where('claim_id', '=', claimId).execute()
}
