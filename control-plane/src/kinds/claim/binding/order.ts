import { environmentWork } from '@hearth/contract'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { wakeAt } from '../../../reconciling/wake.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import type { ClaimRow } from '../table.ts'
import { bindingDeadline } from './follow.ts'

/** Has a machine that runs already bound to its claim; the claim is looked at when that should have begun. */
export async function orderBinding(
  tx: DatabaseTransaction,
  { id, spec, status }: Pick<ClaimRow, 'id' | 'spec' | 'status'>,
  environment: Pick<EnvironmentRow, 'id' | 'runner_id'>,
): Promise<void> {
  if (environment.runner_id !== null)
    await requestOrders(tx, environmentWork.kind, [{ id: environment.id, runnerId: environment.runner_id }])
  if (spec.binding === undefined || status.binding === undefined) return
  const deadline = bindingDeadline(spec.binding, status.binding)
  if (deadline !== null) await wakeAt(tx, 'claim', id, deadline)
}
