import type { UserSecret, UserSecretSpec } from '@hearth/contract'
import type { Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface UserSecretTable extends ResourceTable<UserSecretSpec, Record<string, never>> {
  /** Encrypted; the context is the id. */
  value: Buffer
  /** Of the value itself. */
  value_bytes: number
}
export interface UserSecretTables {
  user_secrets: UserSecretTable
}
export type UserSecretRow = Omit<Selectable<UserSecretTable>, 'value'>

export function toUserSecret(row: UserSecretRow): UserSecret {
  return {
    kind: 'UserSecret',
    metadata: metadataOf(row),
    spec: row.spec,
    specVersion: row.spec_version,
    status: { phase: 'active', observedSpecVersion: row.spec_version, failure: null, deadline: null },
    statusVersion: row.status_version,
  }
}
