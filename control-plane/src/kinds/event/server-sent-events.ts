import type { StreamMessage } from '@hearth/contract'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { ObserverTransport } from './serve-observer.ts'

/** The answer to an observer that speaks server-sent events. */
export function answerServerSentEvents(
  context: Context,
  serve: (transport: ObserverTransport) => Promise<void>,
): Response {
  const { outgoing } = (context.env ?? {}) as Partial<HttpBindings>
  return streamSSE(context, async (stream) => {
    const closed = new AbortController()
    stream.onAbort(() => closed.abort())
    outgoing?.once('close', () => closed.abort())
    await serve({
      name: 'sse',
      send: (text) => stream.write(text),
      format: serverSentEvent,
      // The answer ends by itself when this function has returned; another replica is there at once.
      end: (reason) => {
        if (reason === 'stopping') void stream.write('retry: 100\n: this control plane stops\n\n')
      },
      cut: () => outgoing?.destroy(),
      closed: closed.signal,
    })
  })
}

/** The id is what an observer sends back as `Last-Event-ID`, which is where it goes on after. */
export function serverSentEvent(message: StreamMessage): string {
  switch (message.type) {
    case 'event':
      return `id: ${message.event.position}\ndata: ${JSON.stringify(message.event)}\n\n`
    case 'position':
      return `event: position\nid: ${message.position}\ndata: ${message.position}\n\n`
    case 'resume':
    case 'gap': {
      const { type, ...facts } = message
      return `event: ${type}\nid: ${message.position}\ndata: ${JSON.stringify(facts)}\n\n`
    }
  }
}
