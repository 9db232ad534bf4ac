import {
  idSchema,
  listQuerySchema,
  listSchema,
  warmPoolCreateSchema,
  warmPoolSchema,
  warmPoolUpdateSchema,
} from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, page, requireVersion } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { findEnvironmentClass } from '../environment-class/index.ts'
import { findProject } from '../project/index.ts'
import { changeWarmPool, createWarmPool, removeWarmPool } from './change.ts'
import { findWarmPool, listWarmPools, lockWarmPool } from './queries.ts'
import { toWarmPool, type WarmPoolRow } from './table.ts'

const tag = 'Warm pools'
const path = '/v1/warm-pools'

export function addWarmPoolRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List warm pools',
    roles: readers,
    query: listQuerySchema.extend({ name: z.string().max(127).optional(), projectId: idSchema.optional() }),
    answer: { status: 200, schema: listSchema(warmPoolSchema), description: 'Warm pools' },
    handle: async ({ caller, query }) => {
      const rows = await listWarmPools(database, { organizationId: caller.organizationId, ...query })
      return { status: 200, value: page(rows, query.limit, toWarmPool) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path,
    tag,
    summary: 'Make a warm pool: one per project and class',
    roles: writers,
    body: warmPoolCreateSchema,
    answer: { status: 201, schema: warmPoolSchema, description: 'The pool, filling' },
    handle: async ({ caller, body, once }) =>
      once(async (tx) => {
        const { projectId, environmentClassId, ...spec } = body.spec
        const project = found(await findProject(tx, caller.organizationId, projectId), 'project', projectId)
        const environmentClass = found(
          await findEnvironmentClass(tx, caller.organizationId, environmentClassId),
          'environment class',
          environmentClassId,
        )
        const row = await createWarmPool(tx, {
          project,
          environmentClass,
          creator: caller.principalId,
          labels: body.labels,
          spec,
        })
        return { status: 201, value: toWarmPool(row) }
      }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}`,
    tag,
    summary: 'Show a warm pool with its counts',
    roles: readers,
    params: idParams,
    answer: { status: 200, schema: warmPoolSchema, description: 'The pool' },
    handle: async ({ caller, params }) => {
      const row = await findWarmPool(database, caller.organizationId, params.id)
      return { status: 200, value: toWarmPool(found(row, 'warm pool', params.id)) }
    },
  })
  addEndpoint(application, services, {
    method: 'patch',
    path: `${path}/{id}`,
    tag,
    summary: 'Change a warm pool; members made from the old set-up are replaced one at a time',
    roles: writers,
    params: idParams,
    body: warmPoolUpdateSchema,
    answer: { status: 200, schema: warmPoolSchema, description: 'The pool' },
    handle: async ({ caller, params, body, expectedVersion }) =>
      transact(database, async (tx) => {
        const row = await lockOwned(tx, caller.organizationId, params.id)
        requireVersion(expectedVersion, row.spec_version)
        const changed = await changeWarmPool(tx, row, { labels: body.labels, spec: body.spec ?? {} })
        return { status: 200, value: toWarmPool(changed ?? row) }
      }),
  })
  addEndpoint(application, services, {
    method: 'delete',
    path: `${path}/{id}`,
    tag,
    summary: 'Delete a warm pool and its unclaimed machines',
    roles: writers,
    params: idParams,
    answer: { status: 202, schema: warmPoolSchema, description: 'The pool, going' },
    handle: async ({ caller, params, expectedVersion }) =>
      transact(database, async (tx) => {
        const row = await lockOwned(tx, caller.organizationId, params.id)
        requireVersion(expectedVersion, row.spec_version)
        return { status: 202, value: toWarmPool(await removeWarmPool(tx, row)) }
      }),
  })
}

async function lockOwned(tx: DatabaseTransaction, organizationId: string, id: string): Promise<WarmPoolRow> {
  const row = await lockWarmPool(tx, id)
  return found(row?.organization_id === organizationId ? row : undefined, 'warm pool', id)
}
