import type { WorkMessages } from '@hearth/contract'
import type { MessagingTimings } from './timings.ts'

export type ConnectionStatus = 'connected' | 'disconnected' | 'reconnected' | 'closed' | 'denied'

export interface MessagingOptions {
  /** Differences from `defaultTimings`. */
  timings?: Partial<MessagingTimings>
  /** Servers as `nats://host:port`, one or more of one cluster. */
  servers: readonly string[]
  /**
   * The text of a NATS credentials file; a function is called for each connection, so that renewed credentials are
   * used. When absent, the client does not authenticate.
   */
  credentials?: string | (() => string)
  /** Name of the client in the server's list of connections. */
  name: string
  /** Needed where the credentials allow only one inbox: `subjects.inbox(runnerId)` for a runner. */
  inboxPrefix?: string
  /**
   * Number of replicas of each stream in the cluster; `ensureStreams` changes existing streams to it. When absent,
   * new streams have one replica and existing ones keep theirs.
   */
  replicas?: number
  /** Maximum age and number of events in the stream that `ensureStreams` creates; a week and 200,000 by default. */
  events?: { keepMilliseconds: number; keepCount: number }
  /** The kinds of work whose orders and reports are parsed; `knownWork` of the contract by default. */
  work?: readonly WorkMessages[]
  /** Aborts the first connection attempt, which is otherwise retried for ever. */
  signal?: AbortSignal
  /** `denied`: the server refused a publish, a subscription or the credentials; the detail names which. */
  onStatus?(status: ConnectionStatus, detail: string): void
  /** Called for a message that was discarded as invalid, and for one whose handling failed and will be retried. */
  onProblem?(subject: string, problem: Error): void
}
