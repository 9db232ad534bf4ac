import { type VolumeOrder, type VolumeReport, volumeWork } from '@hearth/contract'
import type { WorkKind } from '../../../work/work-kind.ts'
import { currentOrders, orderSizes, wantedOrders } from './order.ts'
import { applyReports, recordDropped } from './report-batch.ts'

/** The work that runners do for volumes. */
export const volumeWorkKind: WorkKind<VolumeOrder, VolumeReport> = {
  messages: volumeWork,
  wantedOrders,
  orderSizes,
  currentOrders,
  applyReports,
  recordDropped,
}
