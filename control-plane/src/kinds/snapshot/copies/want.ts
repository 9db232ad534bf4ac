import { HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { readHolders, snapshots } from '../queries.ts'
import { settleSnapshot } from '../settle.ts'
import type { HolderRow } from '../table.ts'
import { addCopy } from './add.ts'

/**
 * Has a runner hold a ready snapshot: its disk is copied there, with all that it stands on. Returns the holder: `present`
 * when it is there, `failed` with the cause when it cannot come, which is tried again only ten minutes later or with
 * `again`. Throws `conflict` for a snapshot that is not ready. The runner must be of the same organization.
 */
export async function wantCopy(
  tx: DatabaseTransaction,
  wanted: { snapshotId: string; runnerId: string; again?: boolean },
  now: Date,
): Promise<HolderRow> {
  const { snapshotId, runnerId, again = false } = wanted
  const row = await snapshots.lockById(tx, snapshotId)
  if (row?.phase !== 'ready' || row.desired_phase !== 'ready') {
    const state = row?.desired_phase === 'deleted' ? 'being deleted' : row?.phase
    throw new HearthError(
      'conflict',
      `snapshot ${row?.name ?? snapshotId} is ${state ?? 'gone'}: only a ready one is copied`,
    )
  }
  await addCopy(tx, row, runnerId, again)
  await settleSnapshot(tx, row, now)
  await wake(tx, 'snapshot', row.id)
  const holder = (await readHolders(tx, [row.id])).find(({ runner_id }) => runner_id === runnerId)
  if (holder === undefined) throw new HearthError('conflict', `runner ${runnerId} is being deleted`)
  return holder
}
