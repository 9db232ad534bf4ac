import type { EnvironmentPhase } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { Candidate } from '../../placement/place.ts'
import type { EnvironmentRow } from './table.ts'

export interface EnvironmentFilter {
  organizationId: string
  name?: string | undefined
  projectId?: string | undefined
  warmPoolId?: string | undefined
  runnerId?: string | undefined
  claimId?: string | undefined
  phase?: EnvironmentPhase | undefined
  after?: string | undefined
  limit: number
}

/** Deleted ones only when they are asked for by phase. */
export async function listEnvironments(
  queryable: Queryable,
  filter: EnvironmentFilter,
): Promise<EnvironmentRow[]> {
  let query = queryable
    .selectFrom('environments')
    .selectAll()
    .where('organization_id', '=', filter.organizationId)
    .orderBy('id')
    .limit(filter.limit + 1)
  if (filter.phase === undefined) query = query.where('phase', '<>', 'deleted')
  else query = query.where('phase', '=', filter.phase)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId)
  if (filter.warmPoolId !== undefined) query = query.where('warm_pool_id', '=', filter.warmPoolId)
  if (filter.runnerId !== undefined) query = query.where('runner_id', '=', filter.runnerId)
  if (filter.claimId !== undefined) query = query.where('claim_id', '=', filter.claimId)
  if (filter.after !== undefined) query = query.where('id', '>', filter.after)
  return query.execute()
}

export async function findEnvironment(
  queryable: Queryable,
  organizationId: string,
  id: string,
): Promise<EnvironmentRow | undefined> {
  return queryable
    .selectFrom('environments')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function lockEnvironment(
  tx: DatabaseTransaction,
  id: string,
): Promise<EnvironmentRow | undefined> {
  return tx.selectFrom('environments').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** The principal that made a claim; null when it is gone. */
export async function claimantOf(queryable: Queryable, claimId: string): Promise<string | null> {
  const row = await queryable
    .selectFrom('claims')
    .select('creator')
    .where('id', '=', claimId)
    .executeTakeFirst()
  return row?.creator ?? null
}

const placementLock = 7_203

/**
 * The organization's runners with what is promised of each. Taken under a lock held to the end of the transaction, so
 * that two placements at once cannot promise the same room.
 */
export async function observeFleet(tx: DatabaseTransaction, organizationId: string): Promise<Candidate[]> {
  await sql`SELECT pg_advisory_xact_lock(${placementLock}, hashtext(${organizationId}))`.execute(tx)
  const rows = await tx
    .selectFrom('runners')
    .leftJoin(
      (from) =>
        from
          .selectFrom('environments')
          .select([
            'runner_id',
            (expression) => expression.fn.sum<string>('virtual_cpus').as('virtual_cpus'),
            (expression) => expression.fn.sum<string>('memory_mebibytes').as('memory_mebibytes'),
            (expression) => expression.fn.sum<string>('disk_gibibytes').as('disk_gibibytes'),
          ])
          .where('phase', '<>', 'deleted')
          .where('runner_id', 'is not', null)
          .groupBy('runner_id')
          .as('reserved'),
      (join) => join.onRef('reserved.runner_id', '=', 'runners.id'),
    )
    .select([
      'runners.id',
      'name',
      'labels',
      'phase',
      'spec',
      'status',
      'reserved.virtual_cpus',
      'reserved.memory_mebibytes',
      'reserved.disk_gibibytes',
    ])
    .where('organization_id', '=', organizationId)
    .where('phase', '<>', 'deleted')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    labels: row.labels,
    phase: row.phase,
    spec: row.spec,
    facts: row.status.facts,
    reserved: {
      virtualCpus: Number(row.virtual_cpus ?? 0),
      memoryMebibytes: Number(row.memory_mebibytes ?? 0),
      diskGibibytes: Number(row.disk_gibibytes ?? 0),
    },
  }))
}

export async function forgetDeletedEnvironments(queryable: Queryable, before: Date): Promise<void> {
  await queryable
    .deleteFrom('environments')
    .where('phase', '=', 'deleted')
    .where('phase_since', '<', before)
    .execute()
}
