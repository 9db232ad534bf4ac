import { type LogChunk, logChunkSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { isUnavailable } from '../http/retrying.ts'
import type { Transport } from '../http/transport.ts'
import { newPart } from './new-part.ts'
import { pauseBeforeReconnect } from './reconnecting.ts'
import { serverSentEvents } from './server-sent-events.ts'

export interface LogOptions {
  signal: AbortSignal
  /** As made by stepKey, for example `project_setup` or `clone_repo.shop`. */
  step?: string | undefined
  follow?: boolean | undefined
  /** Further parameters of the request. */
  query?: Readonly<Record<string, string | number | undefined>>
}

/** Pieces of output, each byte once and in order per step, also over a lost connection. */
export async function* readLogs(
  transport: Transport,
  path: string,
  options: LogOptions,
): AsyncGenerator<LogChunk> {
  const seen = new Map<string, number>()
  let opened = false
  for (let attempt = 0; !options.signal.aborted; attempt += 1) {
    try {
      const response = await transport.open({
        method: 'GET',
        path,
        query: { ...options.query, step: options.step, follow: options.follow === true ? true : undefined },
        headers: { accept: 'text/event-stream' },
        signal: options.signal,
      })
      opened = true
      for await (const message of serverSentEvents(response)) {
        attempt = 0
        if (message.event === 'end') return
        const chunk = newPart(logChunkSchema.parse(JSON.parse(message.data)), seen)
        if (chunk !== null) yield chunk
      }
      // Without its `end`: the control plane stops, and another one, or the next, goes on.
    } catch (error) {
      if (options.signal.aborted) return
      const refused = error instanceof HearthError && !isUnavailable(error)
      if (!opened || refused) throw error
    }
    await pauseBeforeReconnect(attempt, options.signal)
  }
}
