export { changeWarmPool, clearWarmPool, createWarmPool, removeWarmPool } from './change.ts'
export {
  findInstance,
  type InstanceFilter,
  type InstanceRow,
  listInstances,
  toInstance,
} from './instances.ts'
export { findWarmPool, listWarmPools, lockOwnWarmPool, lockWarmPool } from './queries.ts'
export { warmPoolReconciler } from './reconcile.ts'
export { addWarmPoolRoutes } from './routes.ts'
export { presentConfiguration, showWarmPool, showWarmPools } from './show.ts'
export { startTest } from './start-test.ts'
export { type PoolSpec, poolSpec, type WarmPoolRow } from './table.ts'
