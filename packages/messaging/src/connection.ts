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

/** What every part of messaging works on: the connection, whether it is up, and where to tell of problems. */
export interface Connection {
  readonly nats: NatsConnection
  readonly jetStream: JetStreamClient
  /** As in the options. */
  readonly replicas: number | undefined
  readonly timings: MessagingTimings
  /** As in the options. */
  readonly events: { keepMilliseconds: number; keepCount: number }
  /** Reads orders and reports. */
  readonly work: KnownWork
  jetStreamManager(): Promise<JetStreamManager>
  isConnected(): boolean
  /** Counts the connections there have been: another number means that the server may be another. */
  session(): number
  /** Resolves when the connection is up, at once if it is; rejects once it is closed or after the time given. */
  whenConnected(timeoutMilliseconds: number): Promise<void>
  onProblem(subject: string, problem: Error): void
}

/**
 * Connects, trying for ever while no server answers; a server that refuses credentials that stay as they are ends it with
 * `unauthenticated`. After the first connection every loss is followed by reconnecting for ever.
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
        // Those that are asked for anew each time may have ended while no server was there.
        if (typeof options.credentials !== 'function')
          throw new HearthError('unauthenticated', 'NATS refused the credentials', { cause: error })
        options.onStatus?.('denied', `${servers} refused the credentials: ${error.message}`)
      } else options.onStatus?.('disconnected', `no NATS server answers at ${servers}: ${error.message}`)
      await delay(backoff(attempt, { first: timings.reconnect, most: timings.retryMost }), options.signal)
    }
  }
}

/** A server that was too busy to look at the credentials in time calls that a matter of authorization too. */
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
    // A server that restarts may refuse for a moment; giving up then would need a person.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: timings.reconnect,
    reconnectJitter: 3 * timings.reconnect,
    // A server that hangs is left for another one within 15 seconds.
    pingInterval: 5_000,
    maxPingOut: 2,
    // A stack taken for each request, and thrown away with its answer, is much of what a request costs.
    noAsyncTraces: true,
  })
}
