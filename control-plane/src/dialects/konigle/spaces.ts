import { spaceUpdateSchema } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { type Caller, readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { validate } from '../../api/validation.ts'
import { changeSpace, type SpaceRow, spaces, toSpace as toNative } from '../../kinds/space/index.ts'
import { konigleErrors } from './error.ts'
import { idOf, params } from './ids.ts'
import { mostListed, pageOf, pageSchema, pagingSchema } from './paging.ts'
import { spaceSchema, toSpace } from './translate-apps.ts'

const tag = 'Spaces'
const filterSchema = pagingSchema.extend({
  webapp_id: params.shape.id.optional(),
  webapp: params.shape.id.optional(),
  space_type: z.enum(['uat', 'production']).optional(),
})
const cronJobSchema = z.object({
  name: z.string().max(32),
  schedule: z.string().max(255),
  command: z.string().max(65_536),
  time_zone: z.string().max(64).default('UTC'),
})
const updateSchema = z
  .object({
    status: z.enum(['running', 'stopped']).optional(),
    variables: z.record(z.string().max(255), z.string().max(65_536)).optional(),
    cron_jobs: z.array(cronJobSchema).max(64).optional(),
    custom_domain: z.string().max(1_024).nullable().optional().meta({ description: 'Empty for none' }),
  })
  .meta({ id: 'KonigleSpaceUpdate' })

const show = (row: SpaceRow) => toSpace(toNative(row))

export const findSpace = async ({ database }: Services, caller: Caller, id: string): Promise<SpaceRow> =>
  found(await spaces.find(database, caller, idOf(id) ?? ''), 'space', id)

export function addSpaceRoutes(application: Application, services: Services): void {
  const { database } = services
  const answer = { status: 200, schema: spaceSchema, description: 'The space' } as const
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/spaces',
      tag,
      summary: 'List spaces, of one web app or of all',
      roles: readers,
      query: filterSchema,
      answer: { status: 200, schema: pageSchema(spaceSchema), description: 'A page of spaces' },
      handle: async ({ caller: { organizationId }, query }) => {
        const webApp = query.webapp_id ?? query.webapp
        const rows = await spaces.list(
          database,
          { organizationId, limit: mostListed },
          {
            ...(webApp === undefined ? {} : { web_app_id: idOf(webApp) ?? nobody }),
            ...(query.space_type === undefined ? {} : { type: query.space_type }),
          },
        )
        return { status: 200, value: pageOf(rows, query, show) }
      },
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/spaces/{id}',
      tag,
      params,
      answer,
      summary: 'Show a space',
      roles: readers,
      handle: async ({ caller, params: { id } }) => ({
        status: 200,
        value: show(await findSpace(services, caller, id)),
      }),
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'patch',
      path: '/spaces/{id}',
      tag,
      params,
      answer,
      summary: 'Stop or start a space, or change its variables, cron jobs or custom domain',
      roles: writers,
      body: updateSchema,
      handle: async ({ caller, params: { id }, body, perform }) => {
        const { id: reference } = await findSpace(services, caller, id)
        const cronJobs = body.cron_jobs?.map(({ time_zone: timeZone, ...job }) => ({ ...job, timeZone }))
        const spec = {
          ...(body.status === undefined ? {} : { desired: body.status }),
          ...(body.variables === undefined ? {} : { variables: body.variables }),
          ...(cronJobs === undefined ? {} : { cronJobs }),
          ...(body.custom_domain === undefined ? {} : { customDomain: body.custom_domain || null }),
        }
        const given = validate(spaceUpdateSchema, { spec }, 'body')
        return perform(changeSpace, { reference, body: given }, (row) => ({ status: 200, value: show(row) }))
      },
    },
    konigleErrors,
  )
}

/** The id of no web app. */
const nobody = '00000000-0000-0000-0000-000000000000'
