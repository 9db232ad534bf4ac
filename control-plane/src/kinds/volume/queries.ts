import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { VolumeRow } from './table.ts'

export const volumes = resourceQueries('volumes', { noun: 'volume', names: 'unique' })

export async function lockVolumes(tx: DatabaseTransaction, ids: readonly string[]): Promise<VolumeRow[]> {
  if (ids.length === 0) return []
  return tx.selectFrom('volumes').selectAll().where('id', 'in', ids).orderBy('id').forUpdate().execute()
}

/** The volumes that are kept for an environment. */
export function readVolumesOf(queryable: Queryable, environmentId: string): Promise<VolumeRow[]> {
  return queryable
    .selectFrom('volumes')
    .selectAll()
    .where('environment_id', '=', environmentId)
    .orderBy('id')
    .execute()
}

/** The same under lock, always in the same order. */
export function lockVolumesOf(tx: DatabaseTransaction, environmentId: string): Promise<VolumeRow[]> {
  return tx
    .selectFrom('volumes')
    .selectAll()
    .where('environment_id', '=', environmentId)
    .orderBy('id')
    .forUpdate()
    .execute()
}

/** A volume that is being made from this one; undefined where none is. */
export async function copyUnderWay(
  queryable: Queryable,
  sourceId: string,
): Promise<{ name: string } | undefined> {
  return queryable
    .selectFrom('volumes')
    .select('name')
    .where('source_id', '=', sourceId)
    .where('desired', '=', 'present')
    .where('phase', 'in', ['pending', 'creating'])
    .executeTakeFirst()
}

/** Volumes that wait for a runner, or whose runner was removed: nothing says when that has changed. */
export async function volumesToLookAt(queryable: Queryable): Promise<string[]> {
  const rows = await queryable
    .selectFrom('volumes')
    .leftJoin('runners', 'runners.id', 'volumes.runner_id')
    .select('volumes.id')
    .where(({ eb, and, or }) =>
      or([
        eb('volumes.phase', '=', 'pending'),
        and([eb('runners.phase', '=', 'deleted'), eb('volumes.phase', '<>', 'failed')]),
      ]),
    )
    .execute()
  return rows.map(({ id }) => id)
}
