import { type RouteOrder, type RouteReport, routeWork } from '@hearth/contract'
import type { WorkKind } from '../../../work/work-kind.ts'
import { currentOrders, orderSizes, wantedOrders } from './order.ts'
import { applyReports, recordDropped } from './report-batch.ts'

/** The work that runners do for routes. */
export const routeWorkKind: WorkKind<RouteOrder, RouteReport> = {
  messages: routeWork,
  wantedOrders,
  orderSizes,
  currentOrders,
  applyReports,
  recordDropped,
}
