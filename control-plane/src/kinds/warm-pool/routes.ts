import {
  explanationSchema,
  idSchema,
  listQuerySchema,
  listSchema,
  warmPoolClearSchema,
  warmPoolCreateSchema,
  warmPoolSchema,
  warmPoolUpdateSchema,
} from '@hearth/contract'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, nameQuery, readPage, requireVersion } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { findEnvironmentClass } from '../environment-class/index.ts'
import { findProject, refuseMissingBranch } from '../project/index.ts'
import { changeWarmPool, clearWarmPool, createWarmPool, removeWarmPool } from './change.ts'
import { addInstanceRoutes } from './instance-routes.ts'
import { findWarmPool, listWarmPools, lockOwnWarmPool } from './queries.ts'
import { showWarmPool, showWarmPools } from './show.ts'
import { explainWarmPool } from './why-sight.ts'

const tag = 'Warm pools'
const path = '/v1/warm-pools'

export function addWarmPoolRoutes(application: Application, services: Services): void {
  const { database } = services
  /** Before the transaction, since it asks the repositories' own servers. */
  const refuseBranch = async (
    organizationId: string,
    projectId: string,
    branch: string | null | undefined,
    signal: AbortSignal,
  ) => {
    const project = branch == null ? undefined : await findProject(database, organizationId, projectId)
    if (project === undefined) return null
    return refuseMissingBranch(services, project, { branch, field: 'body.spec.branch' }, signal)
  }
  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List warm pools',
    roles: readers,
    query: listQuerySchema.extend({ name: nameQuery, projectId: idSchema.optional() }),
    answer: { status: 200, schema: listSchema(warmPoolSchema), description: 'Warm pools' },
    handle: async ({ caller, query }) => {
      const { organizationId } = caller
      const read = async (part: { limit: number }) => {
        const rows = await listWarmPools(database, { organizationId, ...query, ...part })
        return (await showWarmPools(database, rows)).map((pool) => ({ id: pool.metadata.id, pool }))
      }
      return { status: 200, value: await readPage(query, read, ({ pool }) => pool) }
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
    handle: async ({ caller, body, once, context }) => {
      const { projectId, environmentClassId, ...spec } = body.spec
      const { signal } = context.req.raw
      const uncheckedBranch = await refuseBranch(caller.organizationId, projectId, spec.branch, signal)
      return once(async (tx) => {
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
          limits: caller.limits,
          labels: body.labels,
          spec,
          uncheckedBranch,
        })
        return { status: 201, value: await showWarmPool(tx, row) }
      })
    },
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
      return { status: 200, value: await showWarmPool(database, found(row, 'warm pool', params.id)) }
    },
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}/why`,
    tag,
    summary: 'Say in words why a pool is as it is',
    roles: readers,
    params: idParams,
    answer: {
      status: 200,
      schema: explanationSchema,
      description: 'A sentence, its evidence, and what comes next',
    },
    handle: async ({ caller, params }) => {
      const row = await findWarmPool(database, caller.organizationId, params.id)
      return { status: 200, value: await explainWarmPool(database, found(row, 'warm pool', params.id)) }
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
    handle: async ({ caller, params, body, expectedVersion, context }) => {
      const { organizationId } = caller
      const branch = body.spec?.branch
      const pool = branch == null ? undefined : await findWarmPool(database, organizationId, params.id)
      const uncheckedBranch =
        pool === undefined
          ? undefined
          : await refuseBranch(organizationId, pool.project_id, branch, context.req.raw.signal)
      const changed = await transact(database, async (tx) => {
        const row = found(await lockOwnWarmPool(tx, organizationId, params.id), 'warm pool', params.id)
        requireVersion(expectedVersion, row.spec_version)
        const change = { labels: body.labels, spec: body.spec ?? {}, uncheckedBranch }
        return (await changeWarmPool(tx, row, change)) ?? row
      })
      return { status: 200, value: await showWarmPool(database, changed) }
    },
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
        const row = found(await lockOwnWarmPool(tx, caller.organizationId, params.id), 'warm pool', params.id)
        requireVersion(expectedVersion, row.spec_version)
        return { status: 202, value: await showWarmPool(tx, await removeWarmPool(tx, row)) }
      }),
  })
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/clear`,
    tag,
    summary: 'Remove every unclaimed member; with replenish the pool fills anew, without it stays empty',
    roles: writers,
    params: idParams,
    body: warmPoolClearSchema,
    answer: { status: 202, schema: warmPoolSchema, description: 'The pool, without its members' },
    handle: async ({ caller, params, body, expectedVersion, once }) =>
      once(async (tx) => {
        const wanted = { ...body, principalId: caller.principalId, now: services.clock.now() }
        const row = found(await lockOwnWarmPool(tx, caller.organizationId, params.id), 'warm pool', params.id)
        requireVersion(expectedVersion, row.spec_version)
        return { status: 202, value: await showWarmPool(tx, await clearWarmPool(tx, row, wanted)) }
      }),
  })
  addInstanceRoutes(application, services)
}
