import { type ProcessOrder, type ProcessReport, processWork } from '@hearth/contract'
import type { WorkKind } from '../../../work/work-kind.ts'
import { currentOrders, orderSizes, wantedOrders } from './order.ts'
import { applyReports, recordDropped } from './report-batch.ts'

/** The work that runners do for tasks and services. */
export const processWorkKind: WorkKind<ProcessOrder, ProcessReport> = {
  messages: processWork,
  wantedOrders,
  orderSizes,
  currentOrders,
  applyReports,
  recordDropped,
}
