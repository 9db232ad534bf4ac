import type { Clock, EventLoopWatch } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'
import type { Database } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { Timings } from '../timings.ts'
import type { WorkKind } from '../work/work-kind.ts'

/** What the intake of runners' messages needs of the control plane. */
export interface IntakeOptions {
  database: Database
  messaging: Messaging
  encryption: Encryption
  workKinds: readonly WorkKind[]
  clock: Clock
  timings: Timings
  metrics: Metrics
  eventLoop: Pick<EventLoopWatch, 'note'>
  log: Logger
}
