import { createHash, randomBytes } from 'node:crypto'
import { noLifeCap, type Quotas, type Role } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Caller } from '../../api/caller.ts'
import type { Database, DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { PrincipalTable, TokenRow } from './table.ts'

export const tokens = resourceQueries('tokens', { noun: 'token', names: 'shared' })

export interface NewToken {
  organizationId: string
  principalId: string
  runnerId?: string
  name: string
  roles: Role[]
  expiresAt?: Date | undefined
  /** Given only when the operator chose it, as for the first token of an installation. */
  secret?: string
}

/** To the end of the transaction. */
export async function lockTokenNames(tx: DatabaseTransaction, organizationId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.tokenNames}, hashtext(${organizationId}))`.execute(
    tx,
  )
}

/** A new secret: 256 random bits, recognisable by its prefix. */
export function newSecret(): string {
  return `hearth_${randomBytes(32).toString('base64url')}`
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

export async function createPrincipal(
  queryable: Queryable,
  principal: Omit<PrincipalTable, 'id' | 'created_at'>,
): Promise<string> {
  const id = newId()
  await queryable
    .insertInto('principals')
    .values({ id, ...principal })
    .execute()
  return id
}

/** The row and the secret, which is nowhere else. */
export async function createToken(
  queryable: Queryable,
  token: NewToken,
): Promise<{ row: TokenRow; secret: string }> {
  const secret = token.secret ?? newSecret()
  const row = await queryable
    .insertInto('tokens')
    .values({
      id: newId(),
      organization_id: token.organizationId,
      principal_id: token.principalId,
      runner_id: token.runnerId ?? null,
      name: token.name,
      roles: token.roles,
      secret_hash: hashSecret(secret),
      expires_at: token.expiresAt ?? null,
      last_used_at: null,
      last_client: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  return { row, secret }
}

/** What the limits of an organization depend on. */
export interface OrganizationQuotas {
  quotas: Quotas | undefined
  isInstallations: boolean
}

export interface FoundToken {
  caller: Omit<Caller, 'limits'>
  organization: OrganizationQuotas
  expiresAt: Date | null
}

/** Who holds the secret of this hash, or the token of this id; null when it is unknown or has ended. */
export async function findToken(
  database: Database,
  wanted: { secretHash: Buffer } | { id: string },
): Promise<FoundToken | null> {
  const [column, value] =
    'id' in wanted ? (['tokens.id', wanted.id] as const) : (['secret_hash', wanted.secretHash] as const)
  const row = await database
    .selectFrom('tokens')
    .innerJoin('organizations', 'organizations.id', 'tokens.organization_id')
    .select([
      'tokens.id',
      'tokens.organization_id',
      'tokens.principal_id',
      'tokens.runner_id',
      'tokens.name',
      'tokens.roles',
      'tokens.expires_at',
      'organizations.spec as organization_spec',
      sql<boolean>`EXISTS (SELECT FROM user_secrets WHERE creator = tokens.principal_id)`.as('has_secrets'),
      sql<boolean>`organizations.id = (SELECT id FROM organizations ORDER BY id LIMIT 1)`.as(
        'is_installations',
      ),
    ])
    .where(column, '=', value)
    .where((where) =>
      where.or([where('expires_at', 'is', null), where('expires_at', '>', where.fn<Date>('now'))]),
    )
    .executeTakeFirst()
  if (row === undefined) return null
  const caller = {
    principalId: row.principal_id,
    organizationId: row.organization_id,
    tokenId: row.id,
    name: row.name,
    roles: row.roles,
    runnerId: row.runner_id,
    lifeCap: row.organization_spec.lifeCap ?? noLifeCap,
    hasSecrets: row.has_secrets,
  }
  const organization = { quotas: row.organization_spec.quotas, isInstallations: row.is_installations }
  return { caller, organization, expiresAt: row.expires_at }
}

/** Those of the tokens that still let their holders in, and for how many milliseconds. */
export async function goodTokens(database: Database, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await database
    .selectFrom('tokens')
    .select([
      'id',
      sql<number | null>`extract(epoch FROM expires_at - clock_timestamp())::double precision * 1000`.as(
        'left',
      ),
    ])
    .where('id', 'in', ids)
    .where((where) =>
      where.or([where('expires_at', 'is', null), where('expires_at', '>', where.fn<Date>('now'))]),
    )
    .execute()
  return new Map(rows.map(({ id, left }) => [id, left ?? Number.POSITIVE_INFINITY]))
}

export async function deleteTokensOfRunner(queryable: Queryable, runnerId: string): Promise<void> {
  await queryable.deleteFrom('tokens').where('runner_id', '=', runnerId).execute()
}

/** Has every control plane look its callers up anew once the transaction ends: what is known of them has changed. */
export async function forgetCallers(tx: DatabaseTransaction): Promise<void> {
  await sql`SELECT pg_notify('hearth_tokens', '')`.execute(tx)
}

/** Whom each of a runner's tokens is of, the oldest first. */
export async function principalsOfRunner(queryable: Queryable, runnerId: string): Promise<string[]> {
  const rows = await queryable
    .selectFrom('tokens')
    .select('principal_id')
    .where('runner_id', '=', runnerId)
    .orderBy('id')
    .execute()
  return rows.map(({ principal_id }) => principal_id)
}

/** Deletes the secrets of a principal that has no token any more: nobody could use or delete them. */
export async function forgetSecretsOf(tx: DatabaseTransaction, principalId: string): Promise<void> {
  await tx
    .deleteFrom('user_secrets')
    .where('creator', '=', principalId)
    .where((where) =>
      where.not(
        where.exists(where.selectFrom('tokens').select('id').where('principal_id', '=', principalId)),
      ),
    )
    .execute()
}
