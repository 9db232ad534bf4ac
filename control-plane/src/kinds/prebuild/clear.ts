import type { DatabaseTransaction } from '../../database/connection.ts'
import { desireDeletion, environments } from '../environment/index.ts'
import { removeSnapshots, snapshotsOf } from './snapshotting.ts'
import type { PrebuildRow } from './table.ts'

/**
 * Has the machines of a prebuild removed, and its snapshots too unless it has completed: then the snapshots stay, and
 * the machines of templates that are still being made. The row must have been read under lock.
 */
export async function clearPrebuild(tx: DatabaseTransaction, row: PrebuildRow, now: Date): Promise<void> {
  const isComplete = row.phase === 'completed' && row.desired_phase !== 'deleted'
  let query = tx
    .selectFrom('environments')
    .select('id')
    .where('owner_kind', '=', 'prebuild')
    .where('owner_id', '=', row.id)
    .where('phase', '<>', 'deleted')
    .where('desired_phase', '<>', 'deleted')
    .orderBy('id')
  if (isComplete) query = query.where('id', '=', row.environment_id)
  for (const { id } of await query.execute()) {
    const machine = await environments.lockById(tx, id)
    if (machine !== undefined) await desireDeletion(tx, machine, { reason: 'prebuild_over' }, now)
  }
  if (isComplete) return
  const left = await snapshotsOf(tx, row)
  await removeSnapshots(
    tx,
    left.map(({ id }) => id),
    now,
  )
}
