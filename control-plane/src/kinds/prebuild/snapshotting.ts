import type { PrebuildStatus } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { EnvironmentRow } from '../environment/index.ts'
import {
  freeze,
  type LayerLeft,
  type NewSnapshot,
  readHolders,
  readLayersLeft,
  retireSnapshot,
  snapshots,
} from '../snapshot/index.ts'
import type { SeenPrebuild } from './decide.ts'
import type { PrebuildRow } from './table.ts'

/** Has a machine of a prebuild, or its disk alone, made a snapshot and searched; returns the snapshot's id. */
export async function freezePrebuild(
  tx: DatabaseTransaction,
  clock: Clock,
  machine: EnvironmentRow,
  { name, memory, standsOn = null }: Pick<NewSnapshot, 'memory' | 'standsOn'> & { name: string },
): Promise<string> {
  const by = { services: { clock }, caller: { principalId: null } }
  const made = await freeze(tx, by, machine, {
    name,
    labels: {},
    memory,
    standsOn,
    purpose: 'prebuild',
  })
  return made.id
}

/** What a prebuild sees of its snapshot; null for one that is not on record. */
export async function readSnapshot(tx: DatabaseTransaction, id: string): Promise<SeenPrebuild['snapshot']> {
  const row = await snapshots.readById(tx, id)
  if (row === undefined) return null
  const phase =
    row.phase === 'ready'
      ? 'ready'
      : row.phase === 'pending' || row.phase === 'creating'
        ? 'making'
        : 'failed'
  return { phase, going: row.desired_phase === 'deleted', failure: row.status.failure }
}

/** The snapshots of a prebuild that are not deleted, with the runners that have layers of them. */
export async function readSnapshotsLeft(
  queryable: Queryable,
  row: PrebuildRow,
): Promise<SeenPrebuild['snapshots']> {
  const left = await snapshotsOf(queryable, row)
  const layers = await readLayersLeft(
    queryable,
    row.organization_id,
    left.map(({ id }) => id),
  )
  return left.map(({ id, desired_phase }) => ({
    going: desired_phase === 'deleted',
    left: layers
      .filter(({ snapshotId }) => snapshotId === id)
      .map(({ runner, usedBy }) => ({ runner, isUsed: usedBy.length > 0 })),
  }))
}

/** The runners that still have layers of a prebuild, and what stands on these there. */
export async function readLayersOf(queryable: Queryable, row: PrebuildRow): Promise<LayerLeft[]> {
  const left = await snapshotsOf(queryable, row)
  return readLayersLeft(
    queryable,
    row.organization_id,
    left.map(({ id }) => id),
  )
}

/** The snapshots of a prebuild that are not deleted; also those with memory that it does not name any more. */
export async function snapshotsOf(queryable: Queryable, { id, snapshot_id, status }: PrebuildRow) {
  const named = [snapshot_id, ...status.templates.map(({ snapshotId }) => snapshotId)].filter(
    (snapshotId) => snapshotId !== null,
  )
  return queryable
    .selectFrom('snapshots')
    .select(['id', 'desired_phase'])
    .where('phase', '<>', 'deleted')
    .where('purpose', '=', 'prebuild')
    .where((where) =>
      where.or([
        ...(named.length === 0 ? [] : [where('id', 'in', named)]),
        where(
          'environment_id',
          'in',
          where
            .selectFrom('environments')
            .select('environments.id')
            .where('owner_kind', '=', 'prebuild')
            .where('owner_id', '=', id),
        ),
      ]),
    )
    .orderBy('id')
    .execute()
}

/** The bytes that it takes with all below it; null until they are known. */
export async function readSnapshotBytes(queryable: Queryable, id: string | null): Promise<number | null> {
  if (id === null) return null
  return (await snapshots.readById(queryable, id))?.status.bytes?.total ?? null
}

export async function removeSnapshots(
  tx: DatabaseTransaction,
  ids: readonly string[],
  now: Date,
): Promise<void> {
  for (const id of [...new Set(ids)].sort()) await retireSnapshot(tx, id, 'unused', now)
}

/** How far the making of snapshots is, by id. */
export async function readProgress(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Map<string, PrebuildStatus['progress']>> {
  const holders = await readHolders(queryable, ids)
  return new Map(holders.map(({ snapshot_id, progress }) => [snapshot_id, progress]))
}
