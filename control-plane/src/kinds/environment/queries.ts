import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { type OrganizationScope, resourceQueries } from '../../resource/queries.ts'
import { type EnvironmentRow, environmentColumns, type PlannedEnvironmentRow } from './table.ts'

/** Without their plans; deleted ones are listed only when they are asked for by phase. */
export const environments = resourceQueries('environments', {
  noun: 'environment',
  names: 'shared',
  columns: environmentColumns,
  recordPhase: 'deleted',
  findsRecords: true,
})

/** With its plan. */
export const findEnvironment: (
  queryable: Queryable,
  scope: OrganizationScope,
  reference: string,
) => Promise<PlannedEnvironmentRow | undefined> = resourceQueries('environments', {
  noun: 'environment',
  names: 'shared',
  recordPhase: 'deleted',
  findsRecords: true,
}).find

/** Adds the plan, which never changes, to a row. */
export async function withPlan(queryable: Queryable, row: EnvironmentRow): Promise<PlannedEnvironmentRow> {
  const { spec } = await queryable
    .selectFrom('environments')
    .select('spec')
    .where('id', '=', row.id)
    .executeTakeFirstOrThrow()
  return { ...row, spec }
}

/**
 * Locks many rows, always in the same order, so that two transactions that lock some of the same rows do not deadlock.
 */
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

/** The principal that made a claim; null when the claim is gone. */
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
