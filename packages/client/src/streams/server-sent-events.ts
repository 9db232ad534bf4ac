import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream'

/** The messages of an open answer, until it ends (returns) or breaks (throws). */
export async function* serverSentEvents(response: Response): AsyncGenerator<EventSourceMessage> {
  if (response.body === null) return
  const messages = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: 16 * 1024 * 1024 }))
  for await (const message of messages) if (message.data !== '') yield message
}
