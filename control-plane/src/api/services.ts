import type { Clock } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Database } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { Notifications } from '../database/notifications.ts'
import type { Metrics } from './metrics.ts'

/** What routes may use; built once in compose.ts. */
export interface Services {
  database: Database
  encryption: Encryption
  notifications: Notifications
  messaging: Messaging
  clock: Clock
  log: Logger
  metrics: Metrics
  /** Aborts when the program stops, so that open streams end. */
  stopping: AbortSignal
  /** What runners are told of NATS: the servers, and the key that signs their credentials (null: NATS asks for none). */
  runnerMessaging: { servers: readonly string[]; accountSeed: string | null }
}
