import { environmentWork } from '@hearth/contract'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { beginJob } from '../../job/index.ts'
import type { EnvironmentRow } from '../table.ts'
import { movePhase } from './phase.ts'

/** Has the runner remove an environment that is to be deleted. The row must have been read under lock. */
export async function beginDeletion(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<EnvironmentRow> {
  const subject = {
    organizationId: row.organization_id,
    operation: 'environment.delete' as const,
    kind: 'Environment',
    id: row.id,
  }
  await beginJob(tx, subject, { time: now.toISOString(), level: 'info', message: 'removing the machine' })
  await orderAgain(tx, row)
  return movePhase(tx, row, { phase: 'deleting', now })
}

/** Has the present order sent to its runner, where it has one. */
export async function orderAgain(tx: DatabaseTransaction, row: EnvironmentRow): Promise<void> {
  if (row.runner_id !== null)
    await requestOrders(tx, environmentWork.kind, [{ id: row.id, runnerId: row.runner_id }])
}
