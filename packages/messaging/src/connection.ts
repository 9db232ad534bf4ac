import { backoff, HearthError, toError } from '@hearth/foundation'
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator, errors, type NatsConnection } from '@nats-io/transport-node'
import { delay } from './delay.ts'
import type { MessagingOptions } from './options.ts'
import { followStatus } from './status.ts'

/** What every part of messaging works on: the connection, whether it is up, and where to tell of problems. */
export interface Connection {
  readonly nats: NatsConnection
  readonly jetStream: JetStreamClient
  readonly replicas: number
  jetStreamManager(): Promise<JetStreamManager>
  isConnected(): boolean
  /** Resolves when the connection is up, at once if it is; rejects once it is closed or after the time given. */
  whenConnected(timeoutMilliseconds: number): Promise<void>
  onProblem(subject: string, problem: Error): void
}

/**
 * Connects, trying for ever while no server answers; a server that refuses the credentials ends it with
 * `unauthenticated`. After the first connection every loss is followed by reconnecting for ever.
 */
export async function openConnection(options: MessagingOptions): Promise<Connection> {
  const nats = await connectWithPatience(options)
  const status = followStatus(nats, options)
  return {
    nats,
    jetStream: jetstream(nats),
    replicas: options.replicas ?? 1,
    jetStreamManager: () => jetstreamManager(nats, { checkAPI: false }),
    isConnected: () => status.isConnected(),
    whenConnected: (timeoutMilliseconds) => status.whenConnected(timeoutMilliseconds),
    onProblem: (subject, problem) => options.onProblem?.(subject, problem),
  }
}

async function connectWithPatience(options: MessagingOptions): Promise<NatsConnection> {
  for (let attempt = 0; ; attempt += 1) {
    options.signal?.throwIfAborted()
    try {
      return await connectOnce(options)
    } catch (thrown) {
      const error = toError(thrown)
      if (error instanceof errors.AuthorizationError) {
        throw new HearthError('unauthenticated', 'NATS refused the credentials', { cause: error })
      }
      if (error instanceof errors.InvalidArgumentError) throw error
      options.onStatus?.(
        'disconnected',
        `no NATS server answers at ${options.servers.join(', ')}: ${error.message}`,
      )
      await delay(backoff(attempt, { first: 250, most: 5_000 }), options.signal)
    }
  }
}

function connectOnce(options: MessagingOptions): Promise<NatsConnection> {
  return connect({
    servers: [...options.servers],
    name: options.name,
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    ...(options.credentials === undefined
      ? {}
      : { authenticator: credsAuthenticator(new TextEncoder().encode(options.credentials)) }),
    maxReconnectAttempts: -1,
    // A server that restarts may refuse for a moment; giving up then would need a person.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 250,
    reconnectJitter: 750,
    pingInterval: 10_000,
    maxPingOut: 3,
  })
}
