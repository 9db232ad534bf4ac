import { toError } from '@hearth/foundation'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { stream } from 'hono/streaming'
import type { ApplicationEnvironment } from '../../api/application.ts'
import type { OpenStream } from '../../api/open-streams.ts'
import type { Services } from '../../api/services.ts'
import { Outlet } from '../../kinds/event/index.ts'
import { type WatchRequest, watchFrames } from './watch-frames.ts'

const mostWaiting = { bytes: 1024 * 1024, messages: 256 }
/** The longest that a client may ask for, in seconds; it then asks again. */
const mostSeconds = 86_400

/** Answers with the changes one after another, each on a line of its own, until somebody ends it. */
export function answerWatch(
  context: Context<ApplicationEnvironment>,
  services: Services,
  request: WatchRequest,
  timeoutSeconds: number | null,
): Response {
  const opened = services.streams.open(context.get('caller'))
  const { outgoing } = (context.env ?? {}) as Partial<HttpBindings>
  context.header('Content-Type', 'application/json;stream=watch')
  return stream(context, async (sink) => {
    const closed = new AbortController()
    sink.onAbort(() => closed.abort())
    outgoing?.once('close', () => closed.abort())
    const seconds = Math.min(timeoutSeconds ?? mostSeconds, mostSeconds)
    const timer = setTimeout(() => closed.abort(), seconds * 1_000)
    try {
      const isSlow =
        (await feed(services, opened, request, closed.signal, (text) => sink.write(text))) === 'slow'
      // What waits to be sent would be kept for as long as the client does not read.
      if (isSlow) outgoing?.destroy()
    } finally {
      clearTimeout(timer)
    }
  })
}

async function feed(
  services: Services,
  opened: OpenStream,
  request: WatchRequest,
  closed: AbortSignal,
  send: (text: string) => Promise<unknown>,
): Promise<'slow' | 'over'> {
  using watching = opened
  const { metrics, timings, stopping, log } = services
  const signal = AbortSignal.any([closed, stopping, watching.tokenEnded])
  const outlet = new Outlet({ send }, { ...mostWaiting, stall: timings.observerStall })
  metrics.observers.inc({ transport: 'watch' })
  const end = (reason: string) => metrics.observersEnded.inc({ reason })
  try {
    for await (const frame of watchFrames(services, request, signal)) {
      const hasRoom = await outlet.write(frame)
      if (signal.aborted) break
      if (hasRoom) continue
      end('slow')
      return 'slow'
    }
    if (!closed.aborted)
      end(stopping.aborted ? 'stopping' : watching.tokenEnded.aborted ? 'tokenEnded' : 'gap')
  } catch (error) {
    log.warn({ err: toError(error) }, 'a watch of sessions failed')
    end('failed')
  } finally {
    metrics.observers.dec({ transport: 'watch' })
  }
  return 'over'
}
