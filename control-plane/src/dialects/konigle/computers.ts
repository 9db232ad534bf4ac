import { nameSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import {
  changeEnvironment,
  createSizedEnvironment,
  deleteEnvironment,
  type EnvironmentRow,
  searchEnvironments,
  toListedEnvironment,
} from '../../kinds/environment/index.ts'
import { jobs } from '../../kinds/job/index.ts'
import { konigleErrors } from './error.ts'
import { idOf, params } from './ids.ts'
import { mostListed, pageOf, pageSchema, pagingSchema } from './paging.ts'
import { computerSchema, labels, sizes, toComputer } from './translate.ts'

const tag = 'Computers'
const emojiSchema = z.string().max(16)
const createSchema = z
  .object({
    display_name: z.string().min(1).max(80),
    size: z.enum(['S', 'M', 'L']),
    region: nameSchema,
    name: nameSchema.nullish(),
    emoji: emojiSchema.default(''),
  })
  .meta({ id: 'KonigleComputerCreate' })
const createdSchema = computerSchema
  .extend({ computer: computerSchema, job_id: z.string(), job: z.object({ id: z.string() }) })
  .meta({ id: 'KonigleComputerCreated' })

/** How long one that is to be destroyed can be taken back, where nobody says: a day. */
const usualGraceSeconds = 86_400
const graceSchema = z.object({
  grace_seconds: z.coerce.number().int().min(0).max(2_592_000).default(usualGraceSeconds),
})

type Queryable = Services['database']

/** The organization's computers, the newest first. */
const readComputers = (queryable: Queryable, organizationId: string, ids?: readonly string[]) =>
  searchEnvironments(
    queryable,
    { organizationId, limit: mostListed },
    { ids, labelled: { label: labels.size, has: true } },
  )

async function find(queryable: Queryable, organizationId: string, id: string): Promise<EnvironmentRow> {
  const uuid = idOf(id)
  const [row] = uuid === null ? [] : await readComputers(queryable, organizationId, [uuid])
  if (row === undefined || row.phase === 'deleted')
    throw new HearthError('not_found', `there is no computer ${id}`)
  return row
}

const shown = (row: EnvironmentRow) => toComputer(toListedEnvironment(row))

export function addComputerRoutes(application: Application, services: Services): void {
  const { database } = services
  const about = {
    tag,
    params,
    answer: { status: 200 as const, schema: computerSchema, description: 'The computer' },
  }
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/computers',
      tag,
      summary: 'List computers, the newest first',
      roles: readers,
      query: pagingSchema,
      answer: { status: 200, schema: pageSchema(computerSchema), description: 'A page of computers' },
      handle: async ({ caller: { organizationId }, query }) => ({
        status: 200,
        value: pageOf(await readComputers(database, organizationId), query, shown),
      }),
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'post',
      path: '/computers',
      tag,
      summary: 'Make a computer; its job says how far it is',
      roles: writers,
      body: createSchema,
      answer: { status: 201, schema: createdSchema, description: 'The computer and its job' },
      handle: async ({ body: { name, size, region, display_name, emoji }, perform }) => {
        const kept = {
          [labels.size]: size,
          [labels.region]: region,
          [labels.displayName]: display_name,
          ...(emoji === '' ? {} : { [labels.emoji]: emoji }),
        }
        const wanted = { name: name ?? undefined, labels: kept, size: sizes[size], region }
        return perform(createSizedEnvironment, wanted, async (row, tx) => {
          const { organization_id: organizationId, id: resource_id } = row
          const [job] = await jobs.list(tx, { organizationId, limit: 1 }, { resource_id })
          if (job === undefined) throw new Error(`environment ${resource_id} was made without a job`)
          const computer = shown(row)
          return { status: 201, value: { ...computer, computer, job_id: job.id, job: { id: job.id } } }
        })
      },
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...about,
      method: 'get',
      path: '/computers/{id}',
      summary: 'Show a computer',
      roles: readers,
      handle: async ({ caller, params: { id } }) => ({
        status: 200,
        value: shown(await find(database, caller.organizationId, id)),
      }),
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...about,
      method: 'delete',
      path: '/computers/{id}',
      summary:
        'Schedule a computer to be destroyed after a grace, in which it can be taken back; without one at once',
      roles: writers,
      query: graceSchema,
      handle: async ({ caller, params: { id }, query, perform }) => {
        const row = await find(database, caller.organizationId, id)
        const reference = row.id
        const reply = (changed: EnvironmentRow) => ({ status: 200 as const, value: shown(changed) })
        if (query.grace_seconds === 0)
          return perform(deleteEnvironment, { reference, body: { force: false } }, reply)
        const now = services.clock.now().getTime()
        const lived = row.life === null ? 0 : Math.ceil((now - Date.parse(row.life.beganAt)) / 1000)
        const life = { lifetimeSeconds: lived + query.grace_seconds, lifetimeThen: 'delete' as const }
        return perform(changeEnvironment, { reference, body: { spec: { life } } }, reply)
      },
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...about,
      method: 'post',
      path: '/computers/{id}/restore',
      summary: 'Take back that a computer is to be destroyed',
      roles: writers,
      handle: async ({ caller, params: { id }, perform }) => {
        const { id: reference } = await find(database, caller.organizationId, id)
        const life = { lifetimeSeconds: null }
        return perform(changeEnvironment, { reference, body: { spec: { life } } }, (changed) => ({
          status: 200,
          value: shown(changed),
        }))
      },
    },
    konigleErrors,
  )
}
