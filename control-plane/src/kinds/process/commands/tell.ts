import { processWork } from '@hearth/contract'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { recordEvent } from '../../../resource/record.ts'
import { processes } from '../queries.ts'
import { type ProcessRow, toListedProcess } from '../table.ts'

/** Wishes something of a process, also while it runs, which goes on. The row must have been read under lock. */
export async function tellProcess(
  tx: DatabaseTransaction,
  row: ProcessRow,
  wish: string,
): Promise<ProcessRow> {
  if (row.spec.wish === wish) return row
  const told = await processes.changeSpec(tx, row.id, { spec: { ...row.spec, wish } })
  await recordEvent(tx, 'updated', toListedProcess(told))
  if (row.runner_id !== null)
    await requestOrders(tx, processWork.kind, [{ id: row.id, runnerId: row.runner_id }])
  return told
}
