import type { StreamEnd, StreamMessage } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { OpenStream } from '../../api/open-streams.ts'
import type { Services } from '../../api/services.ts'
import { followLog } from './follow.ts'
import { type ObserverConnection, Outlet } from './outlet.ts'
import { type EventFilter, readLog } from './queries.ts'

const mostWaiting = { bytes: 1024 * 1024, messages: 256 }

/** One observer's connection with the words of its protocol. */
export interface ObserverTransport extends ObserverConnection {
  name: 'sse' | 'websocket'
  format(message: StreamMessage): string
  /** Ends the connection once everything sent has been received. */
  end(reason: StreamEnd): void
  /** Closes the connection at once. */
  cut(): void
  /** Aborts when the connection is gone. */
  closed: AbortSignal
}

/**
 * Sends an observer what changes until its connection, its token or the program ends, its next events are gone, or it
 * keeps its send buffer full for too long. In the last two cases it is told at which position to go on.
 */
export async function serveObserver(
  services: Services,
  opened: OpenStream,
  start: { filter: EventFilter; after: number },
  transport: ObserverTransport,
): Promise<void> {
  using stream = opened
  const { metrics, timings, log } = services
  metrics.observers.inc({ transport: transport.name })
  transport.closed.addEventListener('abort', () => metrics.observers.dec({ transport: transport.name }), {
    once: true,
  })
  const reason = await feed(services, start, transport, stream.tokenEnded).catch(
    (error: unknown): StreamEnd => {
      log.warn({ err: toError(error) }, 'an event stream failed')
      return 'failed'
    },
  )
  if (transport.closed.aborted) return
  metrics.observersEnded.inc({ reason })
  transport.end(reason)
  const lingering = setTimeout(() => transport.cut(), timings.observerStall).unref()
  transport.closed.addEventListener('abort', () => clearTimeout(lingering), { once: true })
}

async function feed(
  services: Services,
  { filter, after }: { filter: EventFilter; after: number },
  transport: ObserverTransport,
  tokenEnded: AbortSignal,
): Promise<StreamEnd> {
  const signal = AbortSignal.any([transport.closed, services.stopping, tokenEnded])
  const outlet = new Outlet(transport, { ...mostWaiting, stall: services.timings.observerStall })
  for await (const message of followLog(services, filter, after, signal)) {
    const hasRoom = await outlet.write(transport.format(message))
    if (signal.aborted) break
    if (message.type === 'gap') return 'gap'
    if (hasRoom) continue
    const position = message.type === 'event' ? message.event.position : message.position
    const { oldest } = await readLog(services.database, filter, position, 0)
    // It waits behind the rest, and is the last the observer reads if it ever reads on.
    void outlet.write(transport.format({ type: 'resume', position, oldest }))
    return 'slow'
  }
  return tokenEnded.aborted ? 'tokenEnded' : 'stopping'
}
