import type { SnapshotDeletion } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wake } from '../../reconciling/wake.ts'
import { snapshots } from './queries.ts'
import { desireDeletion, settleSnapshot } from './settle.ts'

/**
 * Lets a snapshot go that Hearth needs no more. Machines that started from it go on: each runner removes its layer when
 * nothing stands on it.
 */
export async function retireSnapshot(
  tx: DatabaseTransaction,
  id: string,
  reason: SnapshotDeletion['reason'],
  now: Date,
): Promise<void> {
  const row = await snapshots.lockById(tx, id)
  if (row === undefined || row.desired_phase === 'deleted') return
  await settleSnapshot(tx, await desireDeletion(tx, row, { reason }, now), now)
  await wake(tx, 'snapshot', id)
}
