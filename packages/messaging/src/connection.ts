import { knownWork } from '@hearth/contract'
import { backoff, HearthError, toError } from '@hearth/foundation'
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
} from '@nats-io/transport-node'
import { delay } from './delay.ts'
import { KnownWork } from './known-work.ts'
import type { MessagingOptions } from './options.ts'
import { followStatus } from './status.ts'
import { defaultTimings, type MessagingTimings } from './timings.ts'

const defaultEvents = { keepMilliseconds: 7 * 24 * 3_600_000, keepCount: 200_000 }

/** What every part of messaging shares: the connection, its state, and where to report problems. */
export interface Connection {
  readonly nats: NatsConnection
  readonly jetStream: JetStreamClient
  /** As in the options. */
  readonly replicas: number | undefined
  readonly timings: MessagingTimings
  /** As in the options. */
  readonly events: { keepMilliseconds: number; keepCount: number }
  /** Parses orders and reports. */
  readonly work: KnownWork
  jetStreamManager(): Promise<JetStreamManager>
  isConnected(): boolean
  /** Number of connections made so far: when it has changed, the server may be another one. */
  session(): number
  /**
   * Resolves when the connection is up, at once if it is already; rejects when it is closed or after the given time.
   */
  whenConnected(timeoutMilliseconds: number): Promise<void>
  onProblem(subject: string, problem: Error): void
}

/**
 * Connects, and retries for ever while no server answers. Throws `unauthenticated` when a server refuses credentials
 * that do not change. After the first connection every loss is followed by reconnecting, for ever.
 */
export async function openConnection(options: MessagingOptions): Promise<Connection> {
  const timings = { ...defaultTimings, ...options.timings }
  const nats = await connectWithPatience(options, timings)
  const status = followStatus(nats, options)
  return {
    nats,
    jetStream: jetstream(nats),
    replicas: options.replicas,
    timings,
    events: options.events ?? defaultEvents,
    work: new KnownWork(options.work ?? knownWork),
    jetStreamManager: () => jetstreamManager(nats, { checkAPI: false }),
    isConnected: () => status.isConnected(),
    session: () => status.session(),
    whenConnected: (timeoutMilliseconds) => status.whenConnected(timeoutMilliseconds),
    onProblem: (subject, problem) => options.onProblem?.(subject, problem),
  }
}

async function connectWithPatience(
  options: MessagingOptions,
  timings: MessagingTimings,
): Promise<NatsConnection> {
  for (let attempt = 0; ; attempt += 1) {
    options.signal?.throwIfAborted()
    try {
      return await connectOnce(options, timings)
    } catch (thrown) {
      const error = toError(thrown)
      const servers = options.servers.join(', ')
      if (error instanceof errors.InvalidArgumentError) throw error
      if (error instanceof errors.AuthorizationError && !isSlow(error)) {
        // Credentials that are renewed may have expired while no server was available.
        if (typeof options.credentials !== 'function')
          throw new HearthError('unauthenticated', 'NATS refused the credentials', { cause: error })
        options.onStatus?.('denied', `${servers} refused the credentials: ${error.message}`)
      } else options.onStatus?.('disconnected', `no NATS server answers at ${servers}: ${error.message}`)
      await delay(backoff(attempt, { first: timings.reconnect, most: timings.retryMost }), options.signal)
    }
  }
}

/** A server that was too busy to check the credentials in time also reports an authorization error. */
function isSlow({ message }: Error): boolean {
  return /timeout/i.test(message)
}

function newestCredentials(credentials: string | (() => string)): Authenticator {
  const current = typeof credentials === 'string' ? () => credentials : credentials
  return (nonce) => credsAuthenticator(new TextEncoder().encode(current()))(nonce)
}

function connectOnce(options: MessagingOptions, timings: MessagingTimings): Promise<NatsConnection> {
  return connect({
    servers: [...options.servers],
    name: options.name,
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    ...(options.credentials === undefined ? {} : { authenticator: newestCredentials(options.credentials) }),
    maxReconnectAttempts: -1,
    // A restarting server may refuse for a moment; after giving up, a person would have to restart the program.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: timings.reconnect,
    reconnectJitter: 3 * timings.reconnect,
    // The connection moves from a hung server to another one within 15 seconds.
    pingInterval: 5_000,
    maxPingOut: 2,
    // Capturing a stack trace for each request is a large part of the cost of a request.
    noAsyncTraces: true,
  })
}
