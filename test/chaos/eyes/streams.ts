import { type Event, streams } from '@hearth/contract'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type { SeenEvent } from '../check/history.ts'
import { seen } from './seen.ts'

/** Everything stored in the stream of events. */
export async function readEvents(nats: NatsConnection): Promise<SeenEvent[]> {
  const events: SeenEvent[] = []
  await readStream(nats, streams.event, (text) => events.push(seen(JSON.parse(text) as Event)))
  return events
}

/** The streams that contain a text unencrypted. */
export async function searchStreams(nats: NatsConnection, text: string): Promise<string[]> {
  const found = new Set<string>()
  for (const stream of Object.values(streams)) {
    await readStream(nats, stream, (payload) => payload.includes(text) && found.add(`stream ${stream}`))
  }
  return [...found]
}

async function readStream(
  nats: NatsConnection,
  stream: string,
  each: (text: string) => unknown,
): Promise<void> {
  const { state } = await (await jetstreamManager(nats)).streams.info(stream)
  if (state.messages === 0) return
  const consumer = await jetstream(nats).consumers.get(stream)
  const messages = await consumer.consume({ max_messages: 500 })
  for await (const message of messages) {
    each(message.string())
    if (message.info.pending === 0) break
  }
  await messages.close()
}
