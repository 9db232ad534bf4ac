import type { EnvironmentPhase } from '@hearth/contract'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { type EnvironmentRow, environmentColumns, type PlannedEnvironmentRow } from './table.ts'

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
    .select(environmentColumns)
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

/** With its plan. */
export async function findEnvironment(
  queryable: Queryable,
  organizationId: string,
  id: string,
): Promise<PlannedEnvironmentRow | undefined> {
  return queryable
    .selectFrom('environments')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** The row with its plan, which does not change. */
export async function withPlan(queryable: Queryable, row: EnvironmentRow): Promise<PlannedEnvironmentRow> {
  const { spec } = await queryable
    .selectFrom('environments')
    .select('spec')
    .where('id', '=', row.id)
    .executeTakeFirstOrThrow()
  return { ...row, spec }
}

export async function lockEnvironment(
  tx: DatabaseTransaction,
  id: string,
): Promise<EnvironmentRow | undefined> {
  return tx
    .selectFrom('environments')
    .select(environmentColumns)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

/** Many at once, always in the same order, so that two that lock some of the same do not wait for each other in a circle. */
export async function lockEnvironments(
  tx: DatabaseTransaction,
  ids: readonly string[],
): Promise<EnvironmentRow[]> {
  if (ids.length === 0) return []
  return tx
    .selectFrom('environments')
    .select(environmentColumns)
    .where('id', 'in', ids)
    .orderBy('id')
    .forUpdate()
    .execute()
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

export async function forgetDeletedEnvironments(queryable: Queryable, before: Date): Promise<void> {
  await queryable
    .deleteFrom('environments')
    .where('phase', '=', 'deleted')
    .where('phase_since', '<', before)
    .execute()
}
