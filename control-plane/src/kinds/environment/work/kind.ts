import { type EnvironmentOrder, type EnvironmentReport, environmentWork } from '@hearth/contract'
import type { WorkKind } from '../../../work/work-kind.ts'
import { currentOrders, orderSizes } from './order.ts'
import { wantedOrders } from './order-digest.ts'
import { applyReports, recordDropped } from './report-batch.ts'

/** The work that runners do for environments: running their machines. */
export const environmentWorkKind: WorkKind<EnvironmentOrder, EnvironmentReport> = {
  messages: environmentWork,
  wantedOrders,
  orderSizes,
  currentOrders,
  applyReports,
  recordDropped,
}
