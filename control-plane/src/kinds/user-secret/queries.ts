import { sql } from 'kysely'
import type { Caller } from '../../api/caller.ts'
import type { CommandContext } from '../../api/command.ts'
import { found, requireVersion } from '../../api/lookup.ts'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { type ListFilter, resourceQueries } from '../../resource/queries.ts'
import type { UserSecretRow } from './table.ts'

const columns = [
  'id',
  'organization_id',
  'name',
  'creator',
  'labels',
  'spec',
  'spec_version',
  'status',
  'status_version',
  'created_at',
  'updated_at',
  'value_bytes',
] as const

export const userSecrets = resourceQueries('user_secrets', { noun: 'user secret', columns })

type Owner = Pick<Caller, 'organizationId' | 'principalId'>

/** Those of the caller: nobody else sees even that they are there. */
export const ownSecrets = {
  async find(queryable: Queryable, caller: Owner, id: string): Promise<UserSecretRow | undefined> {
    const row = await userSecrets.find(queryable, caller, id)
    return row?.creator === caller.principalId ? row : undefined
  },
  async list(
    queryable: Queryable,
    { organizationId, after, limit, newestFirst = false }: ListFilter,
    { principalId }: Owner,
    use?: 'variable' | 'gitHost',
  ): Promise<UserSecretRow[]> {
    let query = queryable
      .selectFrom('user_secrets')
      .select(columns)
      .where('organization_id', '=', organizationId)
      .where('creator', '=', principalId)
      .orderBy('id', newestFirst ? 'desc' : 'asc')
      .limit(limit + 1)
    if (after !== undefined) query = query.where('id', newestFirst ? '<' : '>', after)
    if (use !== undefined) query = query.where(sql<boolean>`spec ->> ${use} IS NOT NULL`)
    return query.execute()
  },
  async lockForChange(
    tx: DatabaseTransaction,
    { caller, expectedVersion }: Pick<CommandContext, 'caller' | 'expectedVersion'>,
    id: string,
  ): Promise<UserSecretRow> {
    const row = await userSecrets.lock(tx, caller, id)
    const own = found(row?.creator === caller.principalId ? row : undefined, 'user secret', id)
    requireVersion(expectedVersion, own.spec_version)
    return own
  },
}

/** How many somebody has, and their bytes together. */
export async function countSecrets(
  tx: DatabaseTransaction,
  principalId: string,
): Promise<{ secrets: number; bytes: number }> {
  const row = await tx
    .selectFrom('user_secrets')
    .select([
      sql<number>`count(*)::int`.as('secrets'),
      sql<number>`coalesce(sum(value_bytes), 0)::int`.as('bytes'),
    ])
    .where('creator', '=', principalId)
    .executeTakeFirstOrThrow()
  return row
}

/** What is given now to a machine that this principal claims. In plain text: only to be stored with the claim, encrypted. */
export async function readUserSecrets(
  queryable: Queryable,
  encryption: Encryption,
  principalId: string,
  now: Date,
): Promise<{ variable: string | null; gitHost: string | null; value: string }[]> {
  const rows = await queryable
    .selectFrom('user_secrets')
    .select(['id', 'spec', 'value'])
    .where('creator', '=', principalId)
    .orderBy('name')
    .execute()
  return rows
    .filter(({ spec }) => spec.expiresAt === null || Date.parse(spec.expiresAt) > now.getTime())
    .map(({ id, spec: { variable, gitHost }, value }) => ({
      ...{ variable, gitHost },
      value: encryption.decrypt(value, id),
    }))
}
