import { describeGap, eventQuerySchema, eventSchema } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import type { HttpBindings } from '@hono/node-server'
import { z } from '@hono/zod-openapi'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { shownValue } from '../../api/shown-value.ts'
import type { Kind } from '../../resource/define.ts'
import type { AddRoute } from '../../resource/routes.ts'
import { gapAfter } from './follow.ts'
import { forgetCheckpoints } from './publication.ts'
import { forgetEvents, newestPosition, readLog } from './queries.ts'
import { type ObserverTransport, serveObserver } from './serve-observer.ts'
import { answerServerSentEvents } from './server-sent-events.ts'
import { answerWebSocket, asksForWebSocket } from './web-socket.ts'

const answerSchema = z.object({ items: z.array(eventSchema), next: z.int() })

const readEvents: AddRoute = (application, services) => {
  const { database, log } = services
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/events',
    tag: 'Events',
    summary:
      'What changed, in commit order: a page of it, or a stream (Accept: text/event-stream, or a WebSocket), resumed by Last-Event-ID or `after`',
    roles: readers,
    query: eventQuerySchema,
    answer: {
      status: 200,
      schema: answerSchema,
      description: 'Events after the position; `next` is where to go on',
    },
    refusals: { 410: 'The events after the position are not kept any more; the facts say which are' },
    handle: async ({ caller, query, context }) => {
      const filter = { organizationId: caller.organizationId, kind: query.kind, resourceId: query.resourceId }
      const isStream =
        asksForWebSocket(context) || (context.req.header('Accept') ?? '').includes('text/event-stream')
      if (!isStream) return { status: 200, value: await readPage(services, filter, query) }
      const after =
        resumePosition(context.req.header('Last-Event-ID')) ?? query.after ?? (await newestPosition(database))
      const opened = services.streams.open(caller)
      // A connection that never becomes a WebSocket must not count for ever.
      const { incoming } = (context.env ?? {}) as Partial<HttpBindings>
      if (asksForWebSocket(context)) incoming?.socket.once('close', () => opened[Symbol.dispose]())
      const serve = (transport: ObserverTransport) =>
        serveObserver(services, opened, { filter, after }, transport)
      return asksForWebSocket(context)
        ? answerWebSocket(context, log, serve)
        : answerServerSentEvents(context, serve)
    },
  })
}

export const eventKind: Kind = {
  name: 'event',
  routes: [readEvents],
  // Every minute and not every hour, since in an hour a busy fleet writes many times the events that are kept.
  async everyMinute({ database, clock, eventRetention: { keepMilliseconds, keepCount } }) {
    const before = new Date(clock.now().getTime() - keepMilliseconds)
    await forgetEvents(database, { before, count: keepCount })
    await forgetCheckpoints(database)
  },
}

/** Without a position: from the oldest event that is kept. */
async function readPage(
  { database }: Services,
  filter: Parameters<typeof readLog>[1],
  { after, limit }: { after?: number | undefined; limit: number },
): Promise<z.output<typeof answerSchema>> {
  const page = await readLog(database, filter, after ?? 0, limit)
  const gap = after === undefined ? null : gapAfter(after, page)
  if (gap !== null) {
    const facts = { oldestPosition: gap.oldest, resumePosition: gap.position }
    throw new HearthError('expired', describeGap(gap), { facts })
  }
  // A page that is not cut has read the log to its end, whatever the filter let through.
  const next = page.isCut ? page.events.at(-1)?.position : page.newest
  return { items: page.events, next: next ?? page.newest }
}

function resumePosition(header: string | undefined): number | null {
  if (header === undefined) return null
  if (/^\d{1,15}$/.test(header)) return Number(header)
  throw invalidValue({
    field: 'header.Last-Event-ID',
    given: shownValue(header, []),
    expected: 'the id of an event of this stream',
  })
}
