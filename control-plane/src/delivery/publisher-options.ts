import type { Clock } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'
import type { Database, DatabaseTransaction } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { Notifications } from '../database/notifications.ts'
import type { Timings } from '../timings.ts'
import type { WorkKind } from '../work/work-kind.ts'

/** What the publisher needs of the control plane. */
export interface PublisherOptions {
  database: Database
  notifications: Notifications
  messaging: Messaging
  encryption: Encryption
  workKinds: readonly WorkKind[]
  /** Called with the last sequence of the event stream when events that observers had read may be lost. */
  eventsWentBack(end: number): Promise<void>
  clock: Clock
  timings: Timings
  metrics: Metrics
  log: Logger
}

/** Limits of one round of publishing. */
export interface Round {
  tx: DatabaseTransaction
  most: number
  /** Whether the round's time is over: then nothing more is begun. */
  isOver: () => boolean
}
