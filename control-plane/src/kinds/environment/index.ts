export { sizeOf } from './accounts.ts'
export { connectionTo } from './connection.ts'
export { createEnvironment, createEnvironments, type NewEnvironment } from './create.ts'
export { desireDeletion } from './desire.ts'
export { currentOrders, orderSizes } from './order.ts'
export { wantedOrders } from './order-digest.ts'
export { orderPage } from './order-page.ts'
export { placeAtOnce, placementReconciler } from './placement.ts'
export { buildPlan, configurationOf, type PoolSetup } from './plan.ts'
export { findEnvironment, forgetDeletedEnvironments, lockEnvironment, withPlan } from './queries.ts'
export { environmentReconciler, forget } from './reconcile.ts'
export { applyReports, noteUnusable, UnusableReport } from './report-batch.ts'
export { addEnvironmentRoutes } from './routes.ts'
export {
  type EnvironmentRow,
  environmentColumns,
  type PlannedEnvironmentRow,
  toEnvironment,
  toListedEnvironment,
} from './table.ts'
export { createOnTrial, isTrialDue } from './trial.ts'
export { explainEnvironment } from './why-sight.ts'
