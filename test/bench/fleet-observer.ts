import { readFileSync } from 'node:fs'
import { type Event, streams } from '@hearth/contract'
import { DeliverPolicy, jetstream } from '@nats-io/jetstream'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import type { Service } from './service.ts'

/** Latencies in milliseconds since a report was sent. */
export interface Lag {
  /** Until the transaction that processes it commits. */
  taken: number
  /** Until an observer receives its event. */
  received: number
}

export interface Observer extends AsyncDisposable {
  /** Latencies of all events received since the last call. */
  takeLags(): Lag[]
}

/** Reads the event stream from NATS as any observer would. */
export async function startObserver({ nats }: Service): Promise<Observer> {
  const credentials = readFileSync(nats.credentialsFile)
  const connection = await connect({ servers: nats.url, authenticator: credsAuthenticator(credentials) })
  const consumer = await jetstream(connection).consumers.get(streams.event, {
    deliver_policy: DeliverPolicy.New,
    filter_subjects: 'hearth.event.*.environment.*',
  })
  const messages = await consumer.consume({ max_messages: 2_000 })
  let lags: Lag[] = []
  const reading = (async () => {
    for await (const message of messages) {
      const received = Date.now()
      const { resource, time } = message.json<Event>()
      const { identity } = resource.status as { identity: { checkedAt: string } | null }
      if (identity === null) continue
      const sent = Date.parse(identity.checkedAt)
      lags.push({ taken: Date.parse(time) - sent, received: received - sent })
    }
  })()
  return {
    takeLags() {
      const taken = lags
      lags = []
      return taken
    },
    async [Symbol.asyncDispose]() {
      await messages.close()
      await reading
      await connection.close()
    },
  }
}
