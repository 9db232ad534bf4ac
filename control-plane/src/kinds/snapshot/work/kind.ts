import { type SnapshotOrder, type SnapshotReport, snapshotWork } from '@hearth/contract'
import type { WorkKind } from '../../../work/work-kind.ts'
import { currentOrders, orderSizes, wantedOrders } from './order.ts'
import { applyReports, recordDropped } from './report-batch.ts'

/** The work that runners do for snapshots: making, keeping and removing layers. */
export const snapshotWorkKind: WorkKind<SnapshotOrder, SnapshotReport> = {
  messages: snapshotWork,
  wantedOrders,
  orderSizes,
  currentOrders,
  applyReports,
  recordDropped,
}
