import { describeGap, type Event, type Gap, type ResourceKind } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { isUnavailable } from '../http/retrying.ts'
import type { Transport } from '../http/transport.ts'
import { openEventStream } from './event-stream.ts'
import { Liveness } from './liveness.ts'
import { pauseBeforeReconnect } from './reconnecting.ts'

/** Three heartbeats of the server. */
const silenceMilliseconds = 45_000

export interface FollowOptions {
  signal: AbortSignal
  /** Position to go on after; without it, only what is new. */
  after?: number | undefined
  kind?: ResourceKind | undefined
  resourceId?: string | undefined
  /** The protocol; both carry the same messages. Server-sent events by default. */
  over?: 'sse' | 'websocket' | undefined
  /** After how many milliseconds without a message the connection counts as lost; 45,000 by default. */
  silenceMilliseconds?: number | undefined
  /** Called each time the stream is open: what changed before that is to be read, not waited for. */
  onOpen?: () => void
  /** Called once for each loss; the stream is tried again until it is open. */
  onLost?: () => void
  /**
   * Called when the next events are not kept any more: what changed up to `position`, where the following goes on, is
   * to be read, not waited for. Without it the following ends with the error `expired`.
   */
  onGap?: (gap: Gap) => void
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
    let toldToComeAgain = false
    const liveness = new Liveness(options.signal, options.silenceMilliseconds ?? silenceMilliseconds)
    try {
      const messages = await openEventStream(transport, options.over ?? 'sse', {
        method: 'GET',
        path,
        query: { after: options.after, kind: options.kind, resourceId: options.resourceId },
        headers: last === undefined ? {} : { 'last-event-id': String(last) },
        signal: liveness.signal,
      })
      opened = true
      attempt = 0
      options.onOpen?.()
      for await (const message of messages) {
        if (message.type === 'event') {
          liveness.rest()
          if (last === undefined || message.event.position > last) {
            last = message.event.position
            yield message.event
          }
          liveness.listen()
          continue
        }
        liveness.listen()
        if (message.type === 'gap') tellOfGap(message, options)
        toldToComeAgain = message.type !== 'position'
        last = message.position
      }
    } catch (error) {
      if (options.signal.aborted) return
      const refused = error instanceof HearthError && !isUnavailable(error)
      if (refused || (!opened && !liveness.signal.aborted)) throw error
    } finally {
      liveness.end()
    }
    if (options.signal.aborted) return
    if (attempt === 0 && !toldToComeAgain) options.onLost?.()
    await pauseBeforeReconnect(attempt++, options.signal)
  }
}

function tellOfGap(gap: Gap, { onGap }: FollowOptions): void {
  if (onGap !== undefined) {
    onGap(gap)
    return
  }
  const facts = { oldestPosition: gap.oldest, resumePosition: gap.position }
  throw new HearthError('expired', describeGap(gap), { facts })
}
