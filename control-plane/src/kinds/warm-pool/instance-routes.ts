import {
  instanceQuerySchema,
  listSchema,
  warmPoolInstanceSchema,
  warmPoolKind,
  warmPoolTestCreateSchema,
} from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { type Caller, readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idOrSharedNameParams, readPage } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import type { AddRoute } from '../../resource/routes.ts'
import { testWarmPool } from './commands/test-steps.ts'
import { findInstance, listInstances, toInstance } from './instances.ts'
import { warmPools } from './queries.ts'
import { presentConfiguration } from './show.ts'

const { tag } = warmPoolKind
const path = `${warmPoolKind.path}/{id}`
const testParams = idOrSharedNameParams.extend({ testId: z.uuid().meta({ description: 'UUID of the test' }) })

async function find({ database }: Services, caller: Caller, id: string, instanceId: string) {
  const pool = await warmPools.get(database, caller, id)
  return { pool, row: await findInstance(database, pool.id, instanceId) }
}

async function list(
  { database }: Services,
  caller: Caller,
  id: string,
  filter: Omit<Parameters<typeof listInstances>[1], 'poolId'>,
) {
  const pool = await warmPools.get(database, caller, id)
  const configuration = await presentConfiguration(database, pool)
  const read = (part: { limit: number }) => listInstances(database, { ...filter, poolId: pool.id, ...part })
  return readPage(filter, read, (row) => toInstance(row, configuration))
}

const listAll: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/instances`,
    tag,
    summary: 'List the environments of a pool: members, those claimed from it, and those that test its steps',
    roles: readers,
    params: idOrSharedNameParams,
    query: instanceQuerySchema,
    answer: { status: 200, schema: listSchema(warmPoolInstanceSchema), description: 'Its environments' },
    handle: async ({ caller, params, query }) => ({
      status: 200,
      value: await list(services, caller, params.id, query),
    }),
  })

const showOne: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/instances/{instanceId}`,
    tag,
    summary: 'Show one environment of a pool, also after it is removed',
    roles: readers,
    params: idOrSharedNameParams.extend({
      instanceId: z.uuid().meta({ description: 'UUID of the environment' }),
    }),
    answer: { status: 200, schema: warmPoolInstanceSchema, description: 'The environment' },
    handle: async ({ caller, params }) => {
      const { pool, row } = await find(services, caller, params.id, params.instanceId)
      const instance = found(row, 'instance', params.instanceId)
      return { status: 200, value: toInstance(instance, await presentConfiguration(services.database, pool)) }
    },
  })

const startOne: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/tests`,
    tag,
    summary: 'Try the steps of a pool, as it is set now, on an environment outside of it',
    roles: writers,
    params: idOrSharedNameParams,
    body: warmPoolTestCreateSchema,
    answer: { status: 201, schema: warmPoolInstanceSchema, description: 'The test, provisioning' },
    handle: async ({ params, body, perform }) =>
      perform(testWarmPool, { reference: params.id, body }, async ({ pool, test }, tx) => {
        const row = found(await findInstance(tx, pool.id, test.id), 'test', test.id)
        return { status: 201, value: toInstance(row, row.configuration) }
      }),
  })

const listTests: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/tests`,
    tag,
    summary: 'List the tests of a pool; those whose environment is removed only with state=removed',
    roles: readers,
    params: idOrSharedNameParams,
    query: instanceQuerySchema,
    answer: { status: 200, schema: listSchema(warmPoolInstanceSchema), description: 'Tests' },
    handle: async ({ caller, params, query }) => ({
      status: 200,
      value: await list(services, caller, params.id, { testsOnly: true, ...query }),
    }),
  })

const showTest: AddRoute = (application, services) =>
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
      description: 'The test, also after its environment is removed',
    },
    handle: async ({ caller, params }) => {
      const { pool, row } = await find(services, caller, params.id, params.testId)
      const test = found(row?.owner_kind === 'warm-pool-test' ? row : undefined, 'test', params.testId)
      return { status: 200, value: toInstance(test, await presentConfiguration(services.database, pool)) }
    },
  })

/** The routes of a pool's environments and of the tests of its steps. */
export const instanceRoutes: readonly AddRoute[] = [listAll, showOne, startOne, listTests, showTest]
