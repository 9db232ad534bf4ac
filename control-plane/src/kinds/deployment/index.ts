export { deployments } from './queries.ts'
export { type DeploymentRow, toDeployment } from './table.ts'
