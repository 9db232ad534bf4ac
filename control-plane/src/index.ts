export { type ControlPlane, composeControlPlane } from './compose.ts'
export { type Config, readConfig } from './config.ts'
