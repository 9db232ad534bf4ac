import { eventSchema, type StreamMessage, streamMessageSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { EventSourceMessage } from 'eventsource-parser/stream'
import type { Request, Transport } from '../http/transport.ts'
import { serverSentEvents } from './server-sent-events.ts'
import { webSocketTexts } from './web-socket-texts.ts'

/** One connection's messages, until it ends (returns) or breaks (throws). Resolves once the server has accepted it. */
export async function openEventStream(
  transport: Transport,
  over: 'sse' | 'websocket',
  request: Request & { signal: AbortSignal },
): Promise<AsyncGenerator<StreamMessage>> {
  if (over === 'websocket') {
    return overWebSocket(webSocketTexts(await transport.openWebSocket(request), request.signal))
  }
  const headers = { ...request.headers, accept: 'text/event-stream' }
  return overServerSentEvents(serverSentEvents(await transport.open({ ...request, headers })))
}

async function* overWebSocket(texts: AsyncIterable<string>): AsyncGenerator<StreamMessage> {
  for await (const text of texts) yield read(() => streamMessageSchema.parse(JSON.parse(text)))
}

async function* overServerSentEvents(
  messages: AsyncIterable<EventSourceMessage>,
): AsyncGenerator<StreamMessage> {
  for await (const message of messages) yield read(() => fromServerSentEvent(message))
}

function fromServerSentEvent({ event: type, id, data }: EventSourceMessage): StreamMessage {
  if (type === undefined) return { type: 'event', event: eventSchema.parse(JSON.parse(data)) }
  if (type === 'position') return streamMessageSchema.parse({ type, position: Number(id) })
  return streamMessageSchema.parse({ type, ...JSON.parse(data) })
}

function read(parse: () => StreamMessage): StreamMessage {
  try {
    return parse()
  } catch (cause) {
    throw new HearthError('internal', 'the server sent an event this version does not understand', { cause })
  }
}
