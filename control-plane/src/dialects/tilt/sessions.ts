import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { sessions, toSession } from '../../kinds/session/index.ts'
import { type Format, formatFor } from './accept.ts'
import { listSessions, selectorOf } from './list.ts'
import { groupVersion, paths } from './names.ts'
import {
  flag,
  getQuerySchema,
  includedObject,
  listQuerySchema,
  refuseInitialEvents,
  resourceVersionOf,
  wholeNumber,
} from './read-query.ts'
import { notFound, statuses } from './status.ts'
import { type IncludedObject, toTable } from './table.ts'
import { type TiltSession, tiltSessionSchema, toTiltSession } from './translate.ts'
import { answerWatch } from './watch.ts'

const tag = 'Sessions'
const listSchema = z
  .object({
    kind: z.literal('SessionList'),
    apiVersion: z.literal(groupVersion),
    metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
    items: z.array(tiltSessionSchema),
  })
  .meta({ id: 'TiltSessionList' })
const params = z.object({ name: z.string().max(253).meta({ description: 'In any case of its letters' }) })

export function addSessionRoutes(application: Application, services: Services): void {
  const { clock } = services
  const shown = (
    found: readonly TiltSession[],
    metadata: Readonly<Record<string, string>>,
    { format, include }: { format: Format; include: IncludedObject },
    plain: object,
  ) => {
    if (format.as === 'objects') return plain
    return toTable(found, metadata, { apiVersion: format.apiVersion, include, now: clock.now() })
  }

  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: paths.list,
      tag,
      summary: 'List sessions, or with watch follow their changes',
      roles: readers,
      query: listQuerySchema,
      answer: {
        status: 200,
        schema: listSchema,
        description: 'A list, a table of it, or changes line by line',
      },
      handle: async ({ caller, query, context }) => {
        const { organizationId } = caller
        const format = formatFor(context.req.header('Accept'))
        const include = includedObject(query.includeObject)
        if (flag(query.watch)) {
          refuseInitialEvents(query)
          const request = {
            organizationId,
            after: resourceVersionOf(query.resourceVersion),
            selects: selectorOf(query),
            hasBookmarks: flag(query.allowWatchBookmarks),
            format,
            include,
          }
          return answerWatch(context, services, request, wholeNumber('timeoutSeconds', query.timeoutSeconds))
        }
        const { items, revision, next } = await listSessions(services, organizationId, query)
        const metadata = {
          resourceVersion: String(revision),
          ...(next === null ? {} : { continue: next }),
        }
        const list = { kind: 'SessionList', apiVersion: groupVersion, metadata, items }
        return { status: 200, value: shown(items, metadata, { format, include }, list) }
      },
    },
    statuses,
  )

  for (const below of ['', '/status'])
    addEndpoint(
      application,
      services,
      {
        method: 'get',
        path: `${paths.list}/{name}${below}`,
        tag,
        summary: below === '' ? 'Show a session' : 'The same, as its status',
        roles: readers,
        params,
        query: getQuerySchema,
        answer: { status: 200, schema: tiltSessionSchema, description: 'The session, or a table of it' },
        handle: async ({ caller, params: { name }, query, context }) => {
          const format = formatFor(context.req.header('Accept'))
          const include = includedObject(query.includeObject)
          resourceVersionOf(query.resourceVersion)
          const row = await sessions.find(services.database, caller, name.toLowerCase())
          if (row === undefined) throw notFound(name)
          const session = toTiltSession(toSession(row))
          const { resourceVersion } = session.metadata
          return { status: 200, value: shown([session], { resourceVersion }, { format, include }, session) }
        },
      },
      statuses,
    )
}
