export { changeWarmPool } from './commands/change.ts'
export { clearWarmPool } from './commands/clear.ts'
export { createWarmPool } from './commands/create.ts'
export { deleteWarmPool } from './commands/delete.ts'
export { testWarmPool } from './commands/test-steps.ts'
export {
  findInstance,
  type InstanceFilter,
  type InstanceRow,
  listInstances,
  toInstance,
} from './instances.ts'
export { poolOfProject, warmPools } from './queries.ts'
export { noDemand, recounted, spanOf } from './scale/demand.ts'
export { countRefusal } from './scale/queries.ts'
export { type ScaleState, scale } from './scale/scale.ts'
export { presentConfiguration, showWarmPool, showWarmPools } from './show.ts'
export { type PoolSpec, poolSpec, type WarmPoolRow } from './table.ts'
