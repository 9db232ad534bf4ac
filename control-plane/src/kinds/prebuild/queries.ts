import type { StepStatus } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { PrebuildRow } from './table.ts'

/** Deleted prebuilds are kept for the record: they are listed only when they are asked for by phase. */
export const prebuilds = resourceQueries('prebuilds', {
  noun: 'prebuild',
  names: 'shared',
  recordPhase: 'deleted',
  findsRecords: true,
})

/** Phases in which a prebuild is made while others of its project and class wait. */
const active = ['starting', 'running', 'stopping', 'snapshotting', 'cancelling'] as const

/** The name of the prebuild that is made before this one; null when it is its turn. */
export async function prebuildBefore(
  queryable: Queryable,
  row: Pick<PrebuildRow, 'id' | 'project_id' | 'environment_class_id'>,
): Promise<string | null> {
  const found = await queryable
    .selectFrom('prebuilds')
    .select('name')
    .where('project_id', '=', row.project_id)
    .where('environment_class_id', '=', row.environment_class_id)
    .where((where) =>
      where.or([
        where('phase', 'in', active),
        where.and([where('phase', '=', 'pending'), where('id', '<', row.id)]),
      ]),
    )
    .orderBy('id')
    .executeTakeFirst()
  return found?.name ?? null
}

/** The pending prebuild of a project and class that a trigger need not repeat. */
export async function pendingPrebuild(
  tx: DatabaseTransaction,
  projectId: string,
  classId: string,
  branch: string | null,
): Promise<PrebuildRow | undefined> {
  return tx
    .selectFrom('prebuilds')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('environment_class_id', '=', classId)
    .where('phase', '=', 'pending')
    .where('desired_phase', '=', 'completed')
    .where(sql<boolean>`spec->>'branch' IS NOT DISTINCT FROM ${branch}`)
    .orderBy('id', 'desc')
    .limit(1)
    .forUpdate()
    .executeTakeFirst()
}

/** The steps of machines as they are now, by the machine's id. */
export async function readSteps(
  queryable: Queryable,
  environmentIds: readonly string[],
): Promise<Map<string, StepStatus[]>> {
  if (environmentIds.length === 0) return new Map()
  const rows = await queryable
    .selectFrom('environments')
    .select(['id', sql<StepStatus[]>`status->'steps'`.as('steps')])
    .where('id', 'in', environmentIds)
    .execute()
  return new Map(rows.map(({ id, steps }) => [id, steps]))
}

/** Forgets prebuilds that were deleted, or ended without a result, before then. */
export async function forgetPrebuilds(queryable: Queryable, before: Date): Promise<void> {
  await queryable
    .deleteFrom('prebuilds')
    .where('phase', 'in', ['deleted', 'failed', 'cancelled'])
    .where('phase_since', '<', before)
    .execute()
  await queryable.deleteFrom('prebuild_deliveries').where('received_at', '<', before).execute()
}

/** Wakes the complete ones that pools start machines from: a pool or a runner that came since may want their memory. */
export async function wakeThoseInUse(queryable: Queryable): Promise<void> {
  const rows = await queryable
    .selectFrom('prebuilds')
    .innerJoin('warm_pools', (join) =>
      join
        .onRef('warm_pools.project_id', '=', 'prebuilds.project_id')
        .onRef('warm_pools.environment_class_id', '=', 'prebuilds.environment_class_id'),
    )
    .select('prebuilds.id')
    .distinct()
    .where('prebuilds.phase', '=', 'completed')
    .execute()
  await wakeAll(
    queryable,
    'prebuild',
    rows.map(({ id }) => id),
  )
}
