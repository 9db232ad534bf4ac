import type { Event, ObserverAccess } from '@hearth/contract'
import { jetstream } from '@nats-io/jetstream'
import { connect, credsAuthenticator, errors, type NatsConnection } from '@nats-io/transport-node'

/** Connects with nothing but an observer's credentials. */
export function connectObserver({ nats }: ObserverAccess, server = nats.servers[0]): Promise<NatsConnection> {
  return connect({
    servers: server ?? '',
    authenticator: credsAuthenticator(new TextEncoder().encode(nats.credentials ?? '')),
    inboxPrefix: nats.inboxPrefix,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    ignoreAuthErrorAbort: true,
  })
}

export interface NatsObserver {
  /** Every message in order of arrival, including repetitions. */
  received: { sequence: number; event: Event }[]
  /** Each event once, at its first arrival. */
  events(): Event[]
  stop(): Promise<void>
}

/** Reads and acknowledges until it is stopped, across reconnects. */
export async function observeNats(
  connection: NatsConnection,
  { nats }: ObserverAccess,
): Promise<NatsObserver> {
  const consumer = await jetstream(connection, { domain: nats.domain }).consumers.get(
    nats.stream,
    nats.consumer,
  )
  const messages = await consumer.consume({ max_messages: 100, expires: 2_000, idle_heartbeat: 500 })
  const received: NatsObserver['received'] = []
  const read = async () => {
    for await (const message of messages) {
      received.push({ sequence: message.seq, event: message.json<Event>() })
      message.ack()
    }
  }
  const reading = read()
  return {
    received,
    events() {
      const seen = new Set<string>()
      return received.flatMap(({ event }) => {
        if (seen.has(event.id)) return []
        seen.add(event.id)
        return [event]
      })
    },
    async stop() {
      messages.stop()
      await reading
      await connection.close()
    },
  }
}

/** Whether the server refuses to let this connection publish or subscribe; the refusal arrives asynchronously. */
export async function isDenied(
  connection: NatsConnection,
  operation: 'publish' | 'subscription',
  subject: string,
): Promise<boolean> {
  const denied = new Promise<boolean>((resolve) => {
    const listen = async () => {
      for await (const status of connection.status()) {
        if (status.type !== 'error' || !(status.error instanceof errors.PermissionViolationError)) continue
        if (status.error.operation === operation && status.error.subject === subject) return resolve(true)
      }
    }
    void listen()
  })
  if (operation === 'publish') connection.publish(subject, '{}')
  else connection.subscribe(subject, { callback: () => undefined })
  // The refusal arrives before the answer to a later ping.
  await connection.flush()
  const answered = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))
  return Promise.race([denied, answered])
}
