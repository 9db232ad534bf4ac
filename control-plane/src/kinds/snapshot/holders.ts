import { snapshotWork } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { requestOrders, requestPurges } from '../../database/outbox.ts'
import type { HolderRow } from './table.ts'

/** Removes holders, and purges orders that may wait for their runners. */
export async function removeHolders(
  tx: DatabaseTransaction,
  snapshotId: string,
  runnerIds: readonly string[],
): Promise<void> {
  await tx
    .deleteFrom('snapshot_holders')
    .where('snapshot_id', '=', snapshotId)
    .where('runner_id', 'in', runnerIds)
    .execute()
  const purged = runnerIds.map((runnerId) => ({ id: snapshotId, runnerId }))
  await requestPurges(tx, snapshotWork.kind, purged)
}

/** Asks that these runners are told what they are to have of the snapshot. */
export async function orderHolders(tx: DatabaseTransaction, holders: readonly HolderRow[]): Promise<void> {
  const ordered = holders.map(({ snapshot_id: id, runner_id: runnerId }) => ({ id, runnerId }))
  await requestOrders(tx, snapshotWork.kind, ordered)
}
