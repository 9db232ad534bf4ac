import type { SnapshotDeletion } from '@hearth/contract'
import { sql } from 'kysely'
import type { Services } from '../../api/services.ts'
import type { Queryable } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { snapshots, usersOf } from './queries.ts'
import { retireSnapshot } from './retire.ts'

/** How long the snapshot of forks is kept after none of them uses it: the last may be about to be made. */
const forkGraceMinutes = 5
/** Most snapshots whose deletion begins in one minute. */
const mostCollected = 100

/** Deletes checkpoints that their project keeps no longer, and snapshots of forks that none uses any more. */
export async function collectSnapshots({
  database,
  clock,
}: Pick<Services, 'database' | 'clock'>): Promise<void> {
  const now = clock.now()
  for (const { id, reason } of await collectable(database, now)) {
    await transact(database, async (tx) => {
      // Locked before its users are read: nothing starts from it afterwards.
      await snapshots.lockById(tx, id)
      if ((await usersOf(tx, id)).environments.length > 0) return
      await retireSnapshot(tx, id, reason, now)
    })
  }
}

/** A machine that started from a snapshot keeps it; one whose disk merely stands on it keeps its layer, on the host. */
async function collectable(
  queryable: Queryable,
  now: Date,
): Promise<{ id: string; reason: SnapshotDeletion['reason'] }[]> {
  const { rows } = await sql<{ id: string; reason: SnapshotDeletion['reason'] }>`
    WITH idle AS (
      SELECT snapshots.id, purpose, snapshots.created_at, snapshots.phase,
        -- One that failed takes no place of those that a machine can be put back to.
        row_number() OVER (PARTITION BY purpose, environment_id, snapshots.phase ORDER BY snapshots.id DESC) AS rank,
        coalesce((projects.spec->'snapshots'->>'keep')::integer, 10) AS keep,
        coalesce((projects.spec->'snapshots'->>'days')::integer, 14) AS days
      FROM snapshots LEFT JOIN projects ON projects.id = snapshots.project_id
      WHERE snapshots.phase IN ('ready', 'failed') AND desired_phase = 'ready' AND purpose <> 'kept'
    ), judged AS (
      SELECT id, CASE
        WHEN purpose = 'fork' AND created_at < ${now}::timestamptz - ${forkGraceMinutes} * interval '1 minute' THEN 'unused'
        WHEN purpose = 'checkpoint' AND created_at < ${now}::timestamptz - days * interval '1 day' THEN 'too_old'
        WHEN purpose = 'checkpoint' AND phase = 'ready' AND rank > keep THEN 'too_many'
      END AS reason FROM idle
    )
    SELECT id, reason FROM judged
    WHERE reason IS NOT NULL AND NOT EXISTS (
      SELECT FROM environments WHERE source_snapshot_id = judged.id AND phase <> 'deleted')
    ORDER BY id LIMIT ${mostCollected}`.execute(queryable)
  return rows
}
