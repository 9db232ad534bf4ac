import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { removeHolders } from '../holders.ts'
import { readHolders, snapshots } from '../queries.ts'
import { type HolderRow, type SnapshotRow, toSnapshot } from '../table.ts'
import { carryOutCopy } from './carry-out.ts'
import { decideCopy } from './decide-copy.ts'
import { lookAtCopies, originsIn } from './look.ts'

/** Does what follows for the copies of a snapshot that is ready. */
export async function settleCopies(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  holders: readonly HolderRow[],
  now: Date,
): Promise<SnapshotRow> {
  if (row.phase !== 'ready' || row.desired_phase !== 'ready') return row
  const copies = await lookAtCopies(tx, row, holders)
  let origins = originsIn(holders)
  let isChanged = false
  for (const copy of copies) {
    const action = decideCopy(copy, origins, now)
    if (action === null) continue
    isChanged = true
    if (action.do === 'forget') await removeHolders(tx, row.id, [copy.runnerId])
    else await carryOutCopy(tx, row, copy, action, now)
    origins = originsIn(await readHolders(tx, [row.id]))
  }
  // Its reconciler has the layer below copied there first.
  if (row.parent_id !== null && copies.some(({ base }) => base.state === 'absent'))
    await wake(tx, 'snapshot', row.parent_id)
  if (!isChanged) return row
  const changed = await snapshots.changeStatus(tx, row.id, {})
  await recordEvent(tx, 'updated', toSnapshot(changed, await readHolders(tx, [row.id])))
  return changed
}
