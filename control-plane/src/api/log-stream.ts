import { type LogChunk, logChunkSchema } from '@hearth/contract'
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Caller } from './caller.ts'
import type { Services } from './services.ts'

/** How an endpoint answers that streams a log. */
export const logAnswer = {
  status: 200,
  schema: logChunkSchema,
  description: 'Pieces of output',
  mediaType: 'text/event-stream',
} as const

/** Sends output as it comes, as one of the caller's streams, until all of it is sent, the caller leaves, or its token ends. */
export function streamLog(
  { streams, stopping }: Pick<Services, 'streams' | 'stopping'>,
  { caller, context }: { caller: Caller; context: Context },
  read: (signal: AbortSignal) => AsyncIterable<LogChunk>,
): Response {
  const opened = streams.open(caller)
  return streamSSE(context, async (stream) => {
    using open = opened
    const ended = new AbortController()
    stream.onAbort(() => ended.abort())
    const signal = AbortSignal.any([ended.signal, stopping, open.tokenEnded])
    for await (const chunk of read(signal)) await stream.writeSSE({ data: JSON.stringify(chunk) })
    // A stream without an `end` makes the client reconnect: to another replica, or to this one, which refuses an
    // expired token.
    if (stopping.aborted) await stream.write('retry: 100\n: this control plane stops\n\n')
    else if (!open.tokenEnded.aborted) await stream.writeSSE({ event: 'end', data: '{}' })
  })
}
