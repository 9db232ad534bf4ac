import { type Event, eventSchema, type ResourceKind } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { isUnavailable } from '../http/retrying.ts'
import type { Transport } from '../http/transport.ts'
import { pauseBeforeReconnect } from './reconnecting.ts'
import { serverSentEvents } from './server-sent-events.ts'

export interface FollowOptions {
  signal: AbortSignal
  /** Position to go on after; without it, only what is new. */
  after?: number | undefined
  kind?: ResourceKind | undefined
  resourceId?: string | undefined
  /** Called each time the stream is open: what changed before that is to be read, not waited for. */
  onOpen?: () => void
  /** Called once for each loss; the stream is tried again until it is open. */
  onLost?: () => void
}

/**
 * Events in order of position, each once. The stream's first message says where it starts, so that a loss at any
 * later moment is healed by asking for what came after. The first connection must succeed. Ends when the signal aborts.
 */
export async function* followEvents(
  transport: Transport,
  path: string,
  options: FollowOptions,
): AsyncGenerator<Event> {
  let last = options.after
  let opened = false
  let attempt = 0
  while (!options.signal.aborted) {
    try {
      const response = await transport.open({
        method: 'GET',
        path,
        query: { after: options.after, kind: options.kind, resourceId: options.resourceId },
        headers: {
          accept: 'text/event-stream',
          ...(last === undefined ? {} : { 'last-event-id': String(last) }),
        },
        signal: options.signal,
      })
      opened = true
      attempt = 0
      options.onOpen?.()
      for await (const message of serverSentEvents(response)) {
        if (message.event === 'position') {
          last = Number(message.id)
          continue
        }
        const event = readEvent(message.data)
        if (last !== undefined && event.position <= last) continue
        last = event.position
        yield event
      }
    } catch (error) {
      if (options.signal.aborted) return
      const refused = error instanceof HearthError && !isUnavailable(error)
      if (!opened || refused) throw error
    }
    if (options.signal.aborted) return
    if (attempt === 0) options.onLost?.()
    await pauseBeforeReconnect(attempt++, options.signal)
  }
}

function readEvent(data: string): Event {
  try {
    return eventSchema.parse(JSON.parse(data))
  } catch (cause) {
    throw new HearthError('internal', 'the server sent an event this version does not understand', { cause })
  }
}
