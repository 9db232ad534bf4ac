import type { SnapshotStatus } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { HolderRow, SnapshotRow } from './table.ts'

/** Deleted snapshots are kept for the record: they are listed only when they are asked for by phase. */
export const snapshots = resourceQueries('snapshots', {
  noun: 'snapshot',
  names: 'shared',
  recordPhase: 'deleted',
  findsRecords: true,
})

/** The holders of snapshots with what is known of their runners, in one order. */
export async function readHolders(queryable: Queryable, ids: readonly string[]): Promise<HolderRow[]> {
  if (ids.length === 0) return []
  return queryable
    .selectFrom('snapshot_holders')
    .innerJoin('runners', 'runners.id', 'snapshot_holders.runner_id')
    .selectAll('snapshot_holders')
    .select([
      'runners.name as runner_name',
      'runners.phase as runner_phase',
      'runners.epoch as runner_epoch',
      'runners.work_kinds',
      sql<boolean>`runners.status->>'leftAt' IS NOT NULL`.as('runner_left'),
      sql<string | null>`runners.status->'facts'->>'agentVersion'`.as('agent_version'),
      sql<HolderRow['layer_address']>`runners.status->'facts'->'layerAddress'`.as('layer_address'),
      sql<string | null>`(SELECT origin.name FROM runners AS origin
        WHERE origin.id::text = snapshot_holders.source->>'runnerId')`.as('copied_from'),
    ])
    .where('snapshot_id', 'in', ids)
    .orderBy('snapshot_id')
    .orderBy('runner_id')
    .execute()
}

/** Locks many snapshots, always in the same order. */
export async function lockSnapshots(tx: DatabaseTransaction, ids: readonly string[]): Promise<SnapshotRow[]> {
  if (ids.length === 0) return []
  return tx.selectFrom('snapshots').selectAll().where('id', 'in', ids).orderBy('id').forUpdate().execute()
}

/** The volumes that are kept for an environment. */
export async function readVolumes(
  queryable: Queryable,
  environmentId: string,
): Promise<SnapshotStatus['volumesLeftOut']> {
  const rows = await queryable
    .selectFrom('volumes')
    .select(['name', 'spec'])
    .where('environment_id', '=', environmentId)
    .orderBy('name')
    .execute()
  return rows.map(({ name, spec: { mountPath } }) => ({ name, mountPath }))
}

export interface SnapshotUsers {
  /** Environments that started from it and are not deleted. */
  environments: { id: string; name: string; phase: string }[]
  /** Snapshots whose disk stands on its. */
  children: { id: string; name: string }[]
  /** Prebuilds whose disk or template it is. */
  prebuilds: { id: string; name: string }[]
  /** Pipelines whose compiled program it is. */
  pipelines: { id: string; name: string }[]
}

export async function usersOf(queryable: Queryable, id: string): Promise<SnapshotUsers> {
  const environments = await queryable
    .selectFrom('environments')
    .select(['id', 'name', 'phase'])
    .where('source_snapshot_id', '=', id)
    .where('phase', '<>', 'deleted')
    .where('desired_phase', '<>', 'deleted')
    .orderBy('id')
    .execute()
  const children = await queryable
    .selectFrom('snapshots')
    .select(['id', 'name'])
    .where('parent_id', '=', id)
    .where('phase', '<>', 'deleted')
    .where('desired_phase', '<>', 'deleted')
    .orderBy('id')
    .execute()
  const prebuilds = await queryable
    .selectFrom('prebuilds')
    .select(['id', 'name'])
    .where((eb) =>
      eb.or([
        eb('snapshot_id', '=', id),
        sql<boolean>`status->'templates' @> ${JSON.stringify([{ snapshotId: id }])}::jsonb`,
      ]),
    )
    .where('phase', '<>', 'deleted')
    .where('desired_phase', '<>', 'deleted')
    .orderBy('id')
    .execute()
  const pipelines = await queryable
    .selectFrom('pipelines')
    .select(['id', 'name'])
    .where('snapshot_id', '=', id)
    .execute()
  return { environments, children, prebuilds, pipelines }
}

/** The newest checkpoint of a machine to which it can be put back. */
export async function newestCheckpoint(
  queryable: Queryable,
  environmentId: string,
): Promise<{ id: string } | undefined> {
  return queryable
    .selectFrom('snapshots')
    .select('id')
    .where('environment_id', '=', environmentId)
    .where('purpose', '=', 'checkpoint')
    .where('phase', '=', 'ready')
    .where('desired_phase', '=', 'ready')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

export async function forgetDeletedSnapshots(queryable: Queryable, before: Date): Promise<void> {
  await queryable
    .deleteFrom('snapshots')
    .where('phase', '=', 'deleted')
    .where('phase_since', '<', before)
    .execute()
}
