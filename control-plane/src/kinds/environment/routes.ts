import {
  certificateRequestSchema,
  connectionSchema,
  environmentCreateSchema,
  environmentPhaseSchema,
  environmentSchema,
  environmentUpdateSchema,
  explanationSchema,
  idSchema,
  listQuerySchema,
  listSchema,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, nameQuery, readPage, requireVersion } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { findEnvironmentClass } from '../environment-class/index.ts'
import { recordEvent } from '../event/index.ts'
import type { CertificateAuthorities } from '../organization/index.ts'
import { findProject } from '../project/index.ts'
import { enter } from './access/enter.ts'
import { addLogRoute } from './access/logs.ts'
import { createEnvironment } from './lifecycle/create.ts'
import { desireDeletion, desirePhase, setLabels } from './lifecycle/desire.ts'
import { forget } from './lifecycle/reconcile.ts'
import { retryEnvironment } from './lifecycle/retry.ts'
import { findEnvironment, listEnvironments, lockEnvironment, withPlan } from './queries.ts'
import { toEnvironment, toListedEnvironment } from './table.ts'
import { explainEnvironment } from './why/look.ts'

const tag = 'Environments'
const path = '/v1/environments'
const filterSchema = listQuerySchema.extend({
  name: nameQuery,
  projectId: idSchema.optional(),
  warmPoolId: idSchema.optional(),
  runnerId: idSchema.optional(),
  claimId: idSchema.optional(),
  phase: environmentPhaseSchema.optional(),
})

export function addEnvironmentRoutes(
  application: Application,
  services: Services,
  authorities: CertificateAuthorities,
): void {
  const { database, clock } = services
  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List environments; deleted ones only with phase=deleted',
    roles: readers,
    query: filterSchema,
    answer: { status: 200, schema: listSchema(environmentSchema), description: 'Environments' },
    handle: async ({ caller, query }) => {
      const { organizationId } = caller
      const read = (part: { limit: number }) =>
        listEnvironments(database, { organizationId, ...query, ...part })
      return { status: 200, value: await readPage(query, read, toListedEnvironment) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path,
    tag,
    summary: 'Make one machine of a project, outside any pool',
    roles: writers,
    body: environmentCreateSchema,
    answer: { status: 201, schema: environmentSchema, description: 'The environment, pending' },
    handle: async ({ caller, body, once }) =>
      once(async (tx) => {
        const project = found(
          await findProject(tx, caller.organizationId, body.spec.projectId),
          'project',
          body.spec.projectId,
        )
        if (project.phase === 'deleting')
          throw new HearthError('conflict', `project ${project.name} is being deleted`)
        const classId = body.spec.environmentClassId
        const environmentClass = found(
          await findEnvironmentClass(tx, caller.organizationId, classId),
          'environment class',
          classId,
        )
        const { name, labels } = body
        const row = await createEnvironment(tx, {
          project,
          environmentClass,
          warmPool: null,
          claimId: null,
          creator: caller.principalId,
          limits: caller.limits,
          name,
          labels,
          now: clock.now(),
        })
        return { status: 201, value: toEnvironment(await withPlan(tx, row)) }
      }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}`,
    tag,
    summary: 'Show an environment with its steps',
    roles: readers,
    params: idParams,
    answer: { status: 200, schema: environmentSchema, description: 'The environment' },
    handle: async ({ caller, params }) => {
      const row = await findEnvironment(database, caller.organizationId, params.id)
      return { status: 200, value: toEnvironment(found(row, 'environment', params.id)) }
    },
  })
  addEndpoint(application, services, {
    method: 'patch',
    path: `${path}/{id}`,
    tag,
    summary: 'Stop or start a machine, or change its labels',
    roles: writers,
    params: idParams,
    body: environmentUpdateSchema,
    answer: { status: 200, schema: environmentSchema, description: 'The environment' },
    handle: async ({ caller, params, body, expectedVersion }) =>
      transact(database, async (tx) => {
        const row = owned(await lockEnvironment(tx, params.id), caller.organizationId, params.id)
        requireVersion(expectedVersion, row.spec_version)
        const labelled = body.labels === undefined ? row : await setLabels(tx, row, body.labels)
        const desired = body.spec?.desiredPhase
        const changed =
          desired === undefined ? labelled : await desirePhase(tx, labelled, desired, caller.limits)
        if (changed === labelled && labelled !== row)
          await recordEvent(tx, 'updated', toListedEnvironment(labelled))
        return { status: 200, value: toEnvironment(await withPlan(tx, changed)) }
      }),
  })
  addEndpoint(application, services, {
    method: 'delete',
    path: `${path}/{id}`,
    tag,
    summary:
      'Delete a machine; force=true ends it here without waiting for its runner, which removes it when it can',
    roles: writers,
    params: idParams,
    query: z.strictObject({ force: z.enum(['true', 'false']).default('false') }),
    answer: { status: 202, schema: environmentSchema, description: 'The environment, going' },
    handle: async ({ caller, params, query, expectedVersion }) =>
      transact(database, async (tx) => {
        const row = owned(await lockEnvironment(tx, params.id), caller.organizationId, params.id)
        requireVersion(expectedVersion, row.spec_version)
        if (row.phase === 'deleted') return { status: 202, value: toEnvironment(await withPlan(tx, row)) }
        const now = clock.now()
        const because = { reason: 'requested' as const, principalId: caller.principalId }
        const going = await desireDeletion(tx, row, because, now)
        const last = query.force === 'true' ? await forget(tx, going, now) : going
        return { status: 202, value: toEnvironment(await withPlan(tx, last)) }
      }),
  })
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/retry`,
    tag,
    summary: 'Try a failed machine once more; anything else is ordered again and looked at at once',
    roles: writers,
    params: idParams,
    answer: { status: 202, schema: environmentSchema, description: 'The environment' },
    handle: async ({ caller, params, once, expectedVersion }) =>
      once(async (tx) => {
        const row = owned(await lockEnvironment(tx, params.id), caller.organizationId, params.id)
        requireVersion(expectedVersion, row.spec_version)
        const retried = await retryEnvironment(tx, row, caller.limits, clock.now())
        return { status: 202, value: toEnvironment(await withPlan(tx, retried)) }
      }),
  })
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/certificates`,
    tag,
    summary: 'Sign a certificate for one’s public key, with which the guest lets one in',
    roles: writers,
    params: idParams,
    body: certificateRequestSchema,
    answer: {
      status: 201,
      schema: connectionSchema,
      description: 'Address, pinned host key and certificate',
    },
    handle: async ({ caller, params, body, once }) =>
      once(async (tx) => {
        const wanted = { id: params.id, publicKey: body.publicKey }
        return { status: 201, value: await enter(tx, authorities, caller, wanted, clock.now()) }
      }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}/why`,
    tag,
    summary: 'Say in words why a machine is as it is',
    roles: readers,
    params: idParams,
    answer: {
      status: 200,
      schema: explanationSchema,
      description: 'A sentence, its evidence, and what comes next',
    },
    handle: async ({ caller, params }) => {
      const row = await findEnvironment(database, caller.organizationId, params.id)
      const value = await explainEnvironment(database, found(row, 'environment', params.id), clock.now())
      return { status: 200, value }
    },
  })
  addLogRoute(application, services)
}

/** The row when it is the organization's; everyone else's does not exist. */
function owned<Row extends { organization_id: string }>(
  row: Row | undefined,
  organizationId: string,
  id: string,
): Row {
  return found(row?.organization_id === organizationId ? row : undefined, 'environment', id)
}
