import type { Generated } from 'kysely'

export interface IdempotencyKeyTable {
  organization_id: string
  key: string
  request_hash: Buffer
  /** null in rows of an older version. */
  principal_id: string | null
  status: number | null
  /** Encrypted: an answer may hold a secret. */
  body: Buffer | null
  created_at: Generated<Date>
}
export interface IdempotencyKeyTables {
  idempotency_keys: IdempotencyKeyTable
}
