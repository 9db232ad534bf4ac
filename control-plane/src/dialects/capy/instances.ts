import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { findInstance, listInstances, presentConfiguration, toInstance } from '../../kinds/warm-pool/index.ts'
import { capyErrors } from './error.ts'
import { idOf, pageOf, pageSchema, pagingSchema } from './paging.ts'
import { findPool, projectParams } from './pool.ts'
import {
  capyStatusSchema,
  instanceRowSchema,
  instanceSchema,
  stateOf,
  toCapyInstance,
  toRow,
} from './translate.ts'

const tag = 'Instances'
const path = '/projects/{projectId}/warm-pool/instances'

export function addInstanceRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path,
      tag,
      summary: 'List the instances of the pool and the tests of its steps',
      roles: readers,
      params: projectParams,
      query: pagingSchema.extend({ status: capyStatusSchema.optional() }),
      answer: { status: 200, schema: pageSchema(instanceRowSchema), description: 'A page of instances' },
      handle: async ({ caller, params, query }) => {
        const { limit, cursor, status } = query
        const after = idOf(cursor)
        const { pool } = await findPool(services, caller, params.projectId)
        if (pool === undefined) return { status: 200, value: { items: [], nextCursor: null, hasMore: false } }
        const configuration = await presentConfiguration(database, pool)
        const state = status === undefined ? undefined : stateOf[status]
        const rows = await listInstances(database, { poolId: pool.id, state, after, limit })
        return { status: 200, value: pageOf(rows, limit, (row) => toRow(toInstance(row, configuration))) }
      },
    },
    capyErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: `${path}/{instanceId}`,
      tag,
      summary: 'Show an instance: its status, a summary, and each step with its output, error and times',
      roles: readers,
      params: projectParams.extend({ instanceId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'an id') }),
      answer: { status: 200, schema: instanceSchema, description: 'The instance' },
      handle: async ({ caller, params }) => {
        const { projectId, instanceId } = params
        const { pool } = await findPool(services, caller, projectId)
        const isKnown = pool !== undefined && z.uuid().safeParse(instanceId).success
        const row = isKnown ? await findInstance(database, pool.id, instanceId) : undefined
        const instance = found(row, 'instance', instanceId)
        return { status: 200, value: toCapyInstance(toInstance(instance, instance.configuration)) }
      },
    },
    capyErrors,
  )
}
