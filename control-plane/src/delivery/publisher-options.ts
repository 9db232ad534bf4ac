import type { Clock } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'
import type { Database, DatabaseTransaction } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { Notifications } from '../database/notifications.ts'
import type { Timings } from '../timings.ts'
import type { WorkKind } from '../work/work-kind.ts'

/** What publishing needs of the control plane. */
export interface PublisherOptions {
  database: Database
  notifications: Notifications
  messaging: Messaging
  encryption: Encryption
  workKinds: readonly WorkKind[]
  /** Told where the stream of events ends, when it may have lost what had been read. */
  eventsWentBack(end: number): Promise<void>
  clock: Clock
  timings: Timings
  metrics: Metrics
  log: Logger
}

/** What one round may do. */
export interface Round {
  tx: DatabaseTransaction
  most: number
  /** Nothing more is begun then. */
  isOver: () => boolean
}
