export { Allowance } from './allowance.ts'
export {
  completeNatsOperator,
  generateNatsOperator,
  issueObserverCredentials,
  issueRunnerCredentials,
  type NatsOperator,
  type RunnerCredentialsOptions,
} from './authorization.ts'
export type { CallAnswer, CallHandler, CallOptions } from './calls.ts'
export type { EventTarget } from './event-stream.ts'
export type { ReadLogsOptions } from './logs.ts'
export { connectMessaging, type Messaging } from './messaging.ts'
export type { ConnectionStatus, MessagingOptions } from './options.ts'
export type { Stored } from './publish.ts'
export { type RevocationKeys, revokeRunners } from './revocation.ts'
export { TooMany } from './subscribe.ts'
export { defaultTimings as defaultMessagingTimings, type MessagingTimings } from './timings.ts'
export { UnknownWork } from './unknown-work.ts'
