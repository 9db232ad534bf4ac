export { type Listener, listen } from './api/listen.ts'
export { type ControlPlane, composeControlPlane } from './compose.ts'
export { type Config, readConfig } from './config.ts'
export { connectDatabase } from './database/connection.ts'
export { advisoryLocks } from './database/locks.ts'
export { migrate } from './database/migrate.ts'
export { migrations } from './database/migrations/index.ts'
export { environmentWorkKind } from './kinds/environment/index.ts'
export {
  messagesOf,
  programArchive,
  type ToolchainProcess,
  toolchainOf,
} from './kinds/pipeline/toolchain/index.ts'
export { noDemand, recounted, type ScaleState, scale, spanOf } from './kinds/warm-pool/index.ts'
export { type Network, parseNetwork } from './network.ts'
export { type AllowedHost, parseAllowedHost } from './outgoing/index.ts'
export { prepareQueue, startReconcileQueue } from './reconciling/queue.ts'
export { wake } from './reconciling/wake.ts'
export { type Served, serveControlPlane } from './serve.ts'
export { defaultTimings } from './timings.ts'
export type { ReportOutcome, WorkKind } from './work/work-kind.ts'
