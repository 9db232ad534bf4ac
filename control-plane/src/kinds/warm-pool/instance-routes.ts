import {
  instanceQuerySchema,
  listSchema,
  warmPoolInstanceSchema,
  warmPoolTestCreateSchema,
} from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, readPage } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { findInstance, listInstances, toInstance } from './instances.ts'
import { findWarmPool, lockOwnWarmPool } from './queries.ts'
import { presentConfiguration } from './show.ts'
import { startTest } from './start-test.ts'

const tag = 'Warm pools'
const path = '/v1/warm-pools/{id}'
const testParams = idParams.extend({ testId: z.uuid().meta({ description: 'UUID of the test' }) })

/** The machines of a pool, and the tests of its steps. */
export function addInstanceRoutes(application: Application, services: Services): void {
  const { database, clock } = services
  const find = async (organizationId: string, id: string, instanceId: string) => {
    const pool = found(await findWarmPool(database, organizationId, id), 'warm pool', id)
    return { pool, row: await findInstance(database, pool.id, instanceId) }
  }
  const list = async (organizationId: string, id: string, filter: Parameters<typeof listInstances>[1]) => {
    const pool = found(await findWarmPool(database, organizationId, id), 'warm pool', id)
    const configuration = await presentConfiguration(database, pool)
    const read = (part: { limit: number }) => listInstances(database, { ...filter, ...part })
    return readPage(filter, read, (row) => toInstance(row, configuration))
  }
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/instances`,
    tag,
    summary: 'List the machines of a pool: members, those claimed from it, and those that test its steps',
    roles: readers,
    params: idParams,
    query: instanceQuerySchema,
    answer: { status: 200, schema: listSchema(warmPoolInstanceSchema), description: 'Its machines' },
    handle: async ({ caller, params, query }) => ({
      status: 200,
      value: await list(caller.organizationId, params.id, { poolId: params.id, ...query }),
    }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/instances/{instanceId}`,
    tag,
    summary: 'Show one machine of a pool, also after it is removed',
    roles: readers,
    params: idParams.extend({ instanceId: z.uuid().meta({ description: 'UUID of the machine' }) }),
    answer: { status: 200, schema: warmPoolInstanceSchema, description: 'The machine' },
    handle: async ({ caller, params }) => {
      const { pool, row } = await find(caller.organizationId, params.id, params.instanceId)
      const instance = found(row, 'instance', params.instanceId)
      return { status: 200, value: toInstance(instance, await presentConfiguration(database, pool)) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/tests`,
    tag,
    summary: 'Try the steps of a pool, as it is set now, on a machine outside of it',
    roles: writers,
    params: idParams,
    body: warmPoolTestCreateSchema,
    answer: { status: 201, schema: warmPoolInstanceSchema, description: 'The test, provisioning' },
    handle: async ({ caller, params, body, once }) =>
      once(async (tx) => {
        const pool = found(
          await lockOwnWarmPool(tx, caller.organizationId, params.id),
          'warm pool',
          params.id,
        )
        const wanted = {
          creator: caller.principalId,
          limits: caller.limits,
          keepSeconds: body.keepSeconds,
          now: clock.now(),
        }
        const { id } = await startTest(tx, pool, wanted)
        const row = found(await findInstance(tx, pool.id, id), 'test', id)
        return { status: 201, value: toInstance(row, row.configuration) }
      }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/tests`,
    tag,
    summary: 'List the tests of a pool; those whose machine is removed only with state=removed',
    roles: readers,
    params: idParams,
    query: instanceQuerySchema,
    answer: { status: 200, schema: listSchema(warmPoolInstanceSchema), description: 'Tests' },
    handle: async ({ caller, params, query }) => ({
      status: 200,
      value: await list(caller.organizationId, params.id, { poolId: params.id, testsOnly: true, ...query }),
    }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/tests/{testId}`,
    tag,
    summary: 'Show a test: a summary, and each step with its output, error, exit code and times',
    roles: readers,
    params: testParams,
    answer: {
      status: 200,
      schema: warmPoolInstanceSchema,
      description: 'The test, also after its machine is removed',
    },
    handle: async ({ caller, params }) => {
      const { pool, row } = await find(caller.organizationId, params.id, params.testId)
      const test = found(row?.tested_pool_id === null ? undefined : row, 'test', params.testId)
      return { status: 200, value: toInstance(test, await presentConfiguration(database, pool)) }
    },
  })
}
