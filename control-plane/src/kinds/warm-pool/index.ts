export { changeWarmPool, clearWarmPool, createWarmPool, deleteWarmPool, testWarmPool } from './commands.ts'
export {
  findInstance,
  type InstanceFilter,
  type InstanceRow,
  listInstances,
  toInstance,
} from './instances.ts'
export { poolOfProject } from './pool-of-project.ts'
export { warmPools } from './queries.ts'
export { presentConfiguration, showWarmPool, showWarmPools } from './show.ts'
export { type PoolSpec, poolSpec, type WarmPoolRow } from './table.ts'
