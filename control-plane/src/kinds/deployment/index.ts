export { cancelDeployment } from './commands/cancel.ts'
export { createDeployment } from './commands/create.ts'
export { promoteSpace } from './commands/promote.ts'
export { rollbackSpace } from './commands/rollback.ts'
export { cancelDeployments, forgetDeployments } from './life.ts'
export { deployments, idsOf as deploymentIdsOf, lastDeploymentOf } from './queries.ts'
export { settleDeployments } from './settle.ts'
export {
  type DeploymentRow,
  emptyDeploymentStatus,
  type StoredDeploymentStatus,
  toDeployment,
} from './table.ts'
