import type { PrebuildPhase, PrebuildTriggerKind, StepStatus } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import { type ListFilter, resourceQueries } from '../../resource/queries.ts'
import type { PrebuildRow } from './table.ts'

/** Deleted prebuilds are kept for the record: they are listed only when they are asked for by phase. */
export const prebuilds = resourceQueries('prebuilds', {
  noun: 'prebuild',
  names: 'shared',
  recordPhase: 'deleted',
  findsRecords: true,
})

export interface PrebuildSearch {
  projectIds?: readonly string[] | undefined
  /** By default all but deleted ones. */
  phases?: readonly PrebuildPhase[] | undefined
  triggers?: readonly PrebuildTriggerKind[] | undefined
  creatorIds?: readonly string[] | undefined
  executorIds?: readonly string[] | undefined
}

/** The newest first, one row more than the limit when there are more. What is not given, or empty, narrows nothing. */
export async function searchPrebuilds(
  queryable: Queryable,
  { organizationId, after, limit }: ListFilter,
  { projectIds, phases, triggers, creatorIds, executorIds }: PrebuildSearch,
): Promise<PrebuildRow[]> {
  let query = queryable
    .selectFrom('prebuilds')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('id', 'desc')
    .limit(limit + 1)
  if (after !== undefined) query = query.where('id', '<', after)
  if (projectIds?.length) query = query.where('project_id', 'in', projectIds)
  query = phases?.length ? query.where('phase', 'in', phases) : query.where('phase', '<>', 'deleted')
  if (creatorIds?.length) query = query.where('creator', 'in', creatorIds)
  if (triggers?.length) query = query.where(sql`spec->'trigger'->>'kind'`, 'in', triggers)
  if (executorIds?.length) query = query.where(sql`spec->>'executorId'`, 'in', executorIds)
  return query.execute()
}

/** The snapshot of the newest complete prebuild of each pair of project and class, by `pairOf`. */
export async function newestSnapshots(
  queryable: Queryable,
  projectIds: readonly string[],
): Promise<Map<string, string>> {
  if (projectIds.length === 0) return new Map()
  const rows = await queryable
    .selectFrom('prebuilds')
    .select(['project_id', 'environment_class_id', 'snapshot_id'])
    .distinctOn(['project_id', 'environment_class_id'])
    .where('project_id', 'in', projectIds)
    .where('phase', '=', 'completed')
    .where('desired_phase', '=', 'completed')
    .orderBy('project_id')
    .orderBy('environment_class_id')
    .orderBy('id', 'desc')
    .execute()
  return new Map(
    rows.flatMap(({ project_id, environment_class_id, snapshot_id }) =>
      snapshot_id === null ? [] : [[pairOf(project_id, environment_class_id), snapshot_id] as const],
    ),
  )
}

export const pairOf = (projectId: string, environmentClassId: string) => `${projectId} ${environmentClassId}`

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
