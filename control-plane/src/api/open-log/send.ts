import type { Context } from 'hono'
import { stream } from 'hono/streaming'
import type { Services } from '../services.ts'

/** Sends text as it comes, until all of it is sent, its reader leaves, or `ended` aborts. */
export function sendText(
  { stopping }: Pick<Services, 'stopping'>,
  context: Context,
  ended: AbortSignal,
  read: (signal: AbortSignal) => AsyncIterable<string>,
): Response {
  context.header('Content-Type', 'text/plain; charset=utf-8')
  context.header('X-Content-Type-Options', 'nosniff')
  return stream(context, async (sink) => {
    const gone = new AbortController()
    sink.onAbort(() => gone.abort())
    const signal = AbortSignal.any([gone.signal, stopping, ended])
    for await (const part of read(signal)) await sink.write(part)
  })
}
