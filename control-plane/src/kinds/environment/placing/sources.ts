import type { Failure } from '@hearth/contract'
import type { Queryable } from '../../../database/connection.ts'
import type { Wanted } from '../../../placement/place.ts'
import type { StoredSource } from '../table.ts'

/** Snapshots that environments start from, by id, with the runners that hold them. */
export async function readSources(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Map<string, NonNullable<Wanted['source']>>> {
  if (ids.length === 0) return new Map()
  const rows = await queryable
    .selectFrom('snapshots')
    .leftJoin('snapshot_holders', (join) =>
      join
        .onRef('snapshot_holders.snapshot_id', '=', 'snapshots.id')
        .on('snapshot_holders.phase', '=', 'present'),
    )
    .select(['snapshots.id', 'snapshots.name', 'snapshots.phase', 'snapshot_holders.runner_id'])
    .where('snapshots.id', 'in', ids)
    .execute()
  const sources = new Map<
    string,
    { name: string; phase: (typeof rows)[number]['phase']; runnerIds: string[] }
  >()
  for (const { id, name, phase, runner_id } of rows) {
    const source = sources.get(id) ?? { name, phase, runnerIds: [] }
    if (runner_id !== null) source.runnerIds.push(runner_id)
    sources.set(id, source)
  }
  return sources
}

/** Why nothing can start from the snapshot; null where it can, or is being made. */
export async function sourceFailure(
  queryable: Queryable,
  source: StoredSource | null,
): Promise<Failure | null> {
  if (source === null) return null
  const snapshot = await queryable
    .selectFrom('snapshots')
    .select(['name', 'phase', 'status'])
    .where('id', '=', source.snapshotId)
    .executeTakeFirst()
  switch (snapshot?.phase) {
    case 'pending':
    case 'creating':
    case 'ready':
      return null
    case 'failed': {
      const { code, message } = snapshot.status.failure ?? {
        code: 'internal',
        message: 'no cause was reported',
      }
      return { code, message: `snapshot ${snapshot.name}, which it was to start from, failed: ${message}` }
    }
    case 'deleting':
    case 'deleted':
    case undefined:
      return {
        code: 'layer_damaged',
        message: `snapshot ${snapshot?.name ?? source.snapshotId}, which it was to start from, is deleted`,
      }
  }
}
