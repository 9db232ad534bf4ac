import type { Clock, EventLoopWatch } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'
import type { Database } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { Timings } from '../timings.ts'

/** What taking in needs of the control plane. */
export interface IntakeOptions {
  database: Database
  messaging: Messaging
  encryption: Encryption
  clock: Clock
  timings: Timings
  metrics: Metrics
  eventLoop: Pick<EventLoopWatch, 'note'>
  log: Logger
}
