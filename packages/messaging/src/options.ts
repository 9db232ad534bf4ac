import type { WorkMessages } from '@hearth/contract'
import type { MessagingTimings } from './timings.ts'

export type ConnectionStatus = 'connected' | 'disconnected' | 'reconnected' | 'closed' | 'denied'

export interface MessagingOptions {
  /** What differs from `defaultTimings`. */
  timings?: Partial<MessagingTimings>
  /** `nats://host:port`, one or more of one cluster. */
  servers: readonly string[]
  /**
   * The text of a NATS credentials file, asked for at each connection where it is renewed; without it no proof of identity
   * is given.
   */
  credentials?: string | (() => string)
  /** Shown in the server's list of connections. */
  name: string
  /** Needed where the credentials allow only one inbox: `subjects.inbox(runnerId)` for a runner. */
  inboxPrefix?: string
  /**
   * Copies of each stream, held on as many servers of the cluster; `ensureStreams` brings streams that exist to it.
   * Without it new streams have one copy and those that exist keep theirs.
   */
  replicas?: number
  /** How long `ensureStreams` keeps events, and how many at most; a week and 200,000 unless told. */
  events?: { keepMilliseconds: number; keepCount: number }
  /** The kinds of work whose orders and reports are read; `knownWork` of the contract unless told. */
  work?: readonly WorkMessages[]
  /** Gives up the first connection, which is tried for ever otherwise. */
  signal?: AbortSignal
  /** `denied`: the server refused a publish, a subscription or the credentials; the detail names which. */
  onStatus?(status: ConnectionStatus, detail: string): void
  /** A message that was thrown away because it is not valid, or one whose handling failed and will be tried again. */
  onProblem?(subject: string, problem: Error): void
}
