import { eventQuerySchema, eventSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { followEvents } from './follow.ts'
import { eventsAfter, newestPosition } from './queries.ts'

const answerSchema = z.object({ items: z.array(eventSchema), next: z.int() })

export function addEventRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/events',
    tag: 'Events',
    summary:
      'What changed, in commit order: a page of it, or a stream (Accept: text/event-stream, resumed by Last-Event-ID)',
    roles: readers,
    query: eventQuerySchema,
    answer: {
      status: 200,
      schema: answerSchema,
      description: 'Events after the position; `next` is where to go on',
    },
    handle: async ({ caller, query, context }) => {
      const filter = { organizationId: caller.organizationId, kind: query.kind, resourceId: query.resourceId }
      if (!(context.req.header('Accept') ?? '').includes('text/event-stream')) {
        const items = await eventsAfter(database, filter, query.after ?? 0, query.limit)
        return { status: 200, value: { items, next: items.at(-1)?.position ?? query.after ?? 0 } }
      }
      const after =
        resumePosition(context.req.header('Last-Event-ID')) ?? query.after ?? (await newestPosition(database))
      return streamSSE(context, async (stream) => {
        const ended = new AbortController()
        stream.onAbort(() => ended.abort())
        const signal = AbortSignal.any([ended.signal, services.stopping])
        await stream.writeSSE({ event: 'position', id: String(after), data: String(after) })
        for await (const event of followEvents(services, filter, after, signal)) {
          if (event === null) await stream.write(': still here\n\n')
          else await stream.writeSSE({ id: String(event.position), data: JSON.stringify(event) })
        }
      })
    },
  })
}

function resumePosition(header: string | undefined): number | null {
  if (header === undefined) return null
  if (/^\d{1,15}$/.test(header)) return Number(header)
  throw new HearthError('invalid', 'Last-Event-ID does not fit', {
    details: [
      {
        field: 'header.Last-Event-ID',
        given: header.slice(0, 120),
        expected: 'the id of an event of this stream',
      },
    ],
  })
}
