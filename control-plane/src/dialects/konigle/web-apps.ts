import { webAppNameSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { type Caller, readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import {
  changeWebApp,
  createWebApp,
  deleteWebApp,
  toWebApp as toNative,
  type WebAppRow,
  webApps,
} from '../../kinds/web-app/index.ts'
import { konigleErrors } from './error.ts'
import { idOf, params } from './ids.ts'
import { jobIdOf } from './job-of.ts'
import { mostListed, pageOf, pageSchema, pagingSchema } from './paging.ts'
import { toWebApp, webAppSchema, withJob } from './translate-apps.ts'

const tag = 'Web apps'
const runtimeSchema = z.enum(['python3', 'python', 'nodejs'])
const databaseSchema = z.enum(['postgres', 'none']).nullish()
const cacheSchema = z.enum(['redis', 'none']).nullish()
const shown = { display_name: z.string().max(80).nullish(), emoji: z.string().max(16).nullish() }
const createSchema = z
  .object({
    name: webAppNameSchema,
    computer_id: params.shape.id.optional(),
    computer: params.shape.id.optional(),
    runtime: runtimeSchema,
    web_server: z.enum(['nginx']).default('nginx'),
    database: databaseSchema,
    cache: cacheSchema,
    ...shown,
  })
  .refine(({ computer_id, computer }) => computer_id !== undefined || computer !== undefined, {
    message: 'the id of a computer',
    path: ['computer_id'],
  })
  .meta({ id: 'KonigleWebAppCreate' })
const updateSchema = z
  .object({
    runtime: runtimeSchema.optional(),
    web_server: z.enum(['nginx']).optional(),
    database: databaseSchema,
    cache: cacheSchema,
    ...shown,
  })
  .meta({ id: 'KonigleWebAppUpdate' })

const runtimeOf = (given: z.output<typeof runtimeSchema>): 'python3' | 'nodejs' =>
  given === 'nodejs' ? given : 'python3'
const orNull = <Word extends string>(given: Word | 'none' | null | undefined): Word | null =>
  given === undefined || given === 'none' ? null : (given as Word | null)

const show = (row: WebAppRow) => toWebApp(toNative(row))

export function addWebAppRoutes(application: Application, services: Services): void {
  const { database } = services
  const find = async (caller: Caller, id: string) =>
    found(await webApps.find(database, caller, idOf(id) ?? ''), 'web app', id)
  const answer = { status: 200, schema: webAppSchema, description: 'The web app' } as const
  const one = { tag, path: '/webapps/{id}', params, answer } as const
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/webapps',
      tag,
      summary: 'List web apps, the newest first',
      roles: readers,
      query: pagingSchema,
      answer: { status: 200, schema: pageSchema(webAppSchema), description: 'A page of web apps' },
      handle: async ({ caller: { organizationId }, query }) => {
        const rows = await webApps.list(database, { organizationId, limit: mostListed, newestFirst: true })
        return { status: 200, value: pageOf(rows, query, show) }
      },
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: '/webapps',
      tag,
      summary: 'Make a web app on a computer, with its spaces uat and production; its job says how far it is',
      roles: writers,
      body: createSchema,
      answer: {
        status: 201,
        schema: withJob(webAppSchema, 'KonigleWebAppCreated'),
        description: 'The web app and its job',
      },
      handle: async ({ body, perform }) => {
        const computer = body.computer_id ?? body.computer ?? ''
        const wanted = {
          name: body.name,
          labels: {},
          spec: {
            displayName: body.display_name ?? '',
            emoji: body.emoji ?? '',
            environment: idOf(computer) ?? computer,
            runtime: runtimeOf(body.runtime),
            webServer: body.web_server,
            database: orNull(body.database),
            cache: orNull(body.cache),
          },
        }
        return perform(createWebApp, wanted, async (row, tx) => {
          const job_id = await jobIdOf(tx, row)
          return { status: 201, value: { ...show(row), job_id, job: { id: job_id } } }
        }).catch((thrown: unknown) => {
          throw ofField(thrown, body.name)
        })
      },
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...one,
      method: 'get',
      summary: 'Show a web app',
      roles: readers,
      handle: async ({ caller, params: { id } }) => ({ status: 200, value: show(await find(caller, id)) }),
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...one,
      method: 'patch',
      summary: 'Change how a web app is shown; what it was made with stays',
      roles: writers,
      body: updateSchema,
      handle: async ({ caller, params: { id }, body, perform }) => {
        const { id: reference } = await find(caller, id)
        const spec = {
          ...(body.display_name == null ? {} : { displayName: body.display_name }),
          ...(body.emoji == null ? {} : { emoji: body.emoji }),
          ...(body.runtime === undefined ? {} : { runtime: runtimeOf(body.runtime) }),
          ...(body.web_server === undefined ? {} : { webServer: body.web_server }),
          ...(body.database === undefined ? {} : { database: orNull(body.database) }),
          ...(body.cache === undefined ? {} : { cache: orNull(body.cache) }),
        }
        return perform(changeWebApp, { reference, body: { spec } }, (row) => ({
          status: 200,
          value: show(row),
        }))
      },
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...one,
      method: 'delete',
      summary: 'Destroy a web app with its spaces, files and databases',
      roles: writers,
      handle: async ({ caller, params: { id }, perform }) => {
        const { id: reference } = await find(caller, id)
        return perform(deleteWebApp, { reference, body: { force: false } }, (row) => ({
          status: 200,
          value: show(row),
        }))
      },
    },
    konigleErrors,
  )
}

/** A name that is taken is a fault of the field, as Django has it. */
function ofField(thrown: unknown, name: string): unknown {
  if (!(thrown instanceof HearthError) || !thrown.isTaken) return thrown
  const details = [{ field: 'body.name', given: name, expected: 'a name that no other web app has' }]
  return new HearthError('conflict', thrown.message, { details, isTaken: true, cause: thrown })
}
