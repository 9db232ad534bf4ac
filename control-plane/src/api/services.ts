import type { QuotaLimits } from '@hearth/contract'
import type { Clock, EventLoopWatch } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { CertificateAuthority } from '../access/certificate-authority.ts'
import type { Database, Queryable } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { Notifications } from '../database/notifications.ts'
import type { Turns } from '../database/turns.ts'
import type { Outgoing } from '../outgoing/index.ts'
import type { Timings } from '../timings.ts'
import type { EventBells } from './event-bells.ts'
import type { Metrics } from './metrics.ts'
import type { OpenStreams } from './open-streams.ts'
import type { RequestRates } from './request-rates.ts'
import type { SenderRates } from './sender-rates.ts'
import type { UploadSlots } from './upload-slots.ts'

/** What routes may use; built once in compose.ts. */
export interface Services {
  database: Database
  encryption: Encryption
  notifications: Notifications
  messaging: Messaging
  /** Every call to an address that somebody else names. */
  outgoing: Outgoing
  clock: Clock
  timings: Timings
  /** The installation's limits; those of one organization may differ. */
  quotas: QuotaLimits
  /** Of transactions that make or claim something: none has all connections. */
  turns: Turns
  streams: OpenStreams
  uploads: UploadSlots
  eventBells: EventBells
  rates: RequestRates
  /** Of routes that are open to anybody. */
  senderRates: SenderRates
  log: Logger
  metrics: Metrics
  /** Who signs the certificates that guests of an organization accept. */
  authorities: { of(queryable: Queryable, organizationId: string): Promise<CertificateAuthority> }
  /** How long events are kept, and how many. */
  eventRetention: { keepMilliseconds: number; keepCount: number }
  /** Since when heartbeats would have been heard; null while they would not. */
  listening: { readonly since: Date | null }
  /** Has NATS refuse the runners that were deleted. */
  revocations: { revoke(): Promise<void> }
  /** How this control plane is reached over HTTPS; null where it serves none. */
  secureAccess: {
    readonly port: number
    readonly hosts: readonly string[]
    readonly authority: string
  } | null
  /** Notes what is running, so that a stall of the event loop can be attributed. */
  eventLoop: Pick<EventLoopWatch, 'note'>
  /** Aborts when the program is about to stop: readiness fails from then on, while requests are still answered. */
  draining: AbortSignal
  /** Aborts when the program stops; ends open streams. */
  stopping: AbortSignal
  /**
   * Runners' access to NATS: the servers, the key that signs their credentials (null: NATS requires none), and how long
   * those are valid.
   */
  runnerMessaging: {
    servers: readonly string[]
    accountSeed: string | null
    credentialsMilliseconds: number
  }
  /** The key that signs observers' NATS credentials, and whether NATS is open, so that none are needed. */
  observerMessaging: { accountSeed: string | null; isOpen: boolean }
}
