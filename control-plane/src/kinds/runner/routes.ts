import {
  explanationSchema,
  idSchema,
  listQuerySchema,
  listSchema,
  nameSchema,
  natsCredentialsSchema,
  registrationRequestSchema,
  registrationSchema,
  renewsCredentialsHeader,
  runnerCreatedSchema,
  runnerCreateSchema,
  runnerSchema,
  runnerUpdateSchema,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { administrators, readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idOrNameParams, readPage, requireVersion } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { isUniqueViolation } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import { recordEvent } from '../event/index.ts'
import { requireResource } from '../quota/index.ts'
import { createPrincipal, createToken, deleteTokensOfRunner } from '../token/index.ts'
import type { Listening } from './listening.ts'
import {
  changeRunner,
  countEnvironments,
  environmentIdsOn,
  findRunner,
  insertRunner,
  listRunners,
  lockRunner,
  poolIdsToWake,
  setRunnerStatus,
} from './queries.ts'
import { issueCredentials, register } from './registration.ts'
import type { Revocations } from './revocation.ts'
import { settleRunner } from './settle.ts'
import { toRunner } from './table.ts'
import { explainRunner } from './why-sight.ts'

const tag = 'Runners'
const path = '/v1/runners'

export function addRunnerRoutes(
  application: Application,
  services: Services,
  { listening, revocations }: { listening: Listening; revocations: Revocations },
): void {
  const { database, clock, timings, messaging } = services
  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List runners',
    roles: readers,
    query: listQuerySchema.extend({ name: nameSchema.optional() }),
    answer: { status: 200, schema: listSchema(runnerSchema), description: 'Runners' },
    handle: async ({ caller, query }) => {
      const { organizationId } = caller
      const read = async (part: { limit: number }) => {
        const rows = await listRunners(database, { organizationId, ...query, ...part })
        const ids = rows.map(({ id }) => id)
        const counts = await countEnvironments(database, ids)
        return rows.map((row) => ({ id: row.id, runner: toRunner(row, counts.get(row.id) ?? 0) }))
      }
      return { status: 200, value: await readPage(query, read, ({ runner }) => runner) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path,
    tag,
    summary: 'Make a runner; the answer is the only one that holds its token',
    roles: ['administrator', 'join'],
    body: runnerCreateSchema,
    answer: {
      status: 201,
      schema: runnerCreatedSchema,
      description: 'The runner and the token of its agent',
    },
    handle: async ({ caller, body, once }) =>
      once(async (tx) => {
        const { organizationId } = caller
        await requireResource(tx, organizationId, caller.limits, 'runners')
        const row = await insertRunner(tx, { ...body, organizationId, creator: caller.principalId }).catch(
          (error: unknown) => {
            if (isUniqueViolation(error))
              throw new HearthError('conflict', `there is a runner ${body.name} already`)
            throw error
          },
        )
        const principalId = await createPrincipal(tx, {
          organization_id: organizationId,
          kind: 'runner',
          name: body.name,
        })
        const token = {
          organizationId,
          principalId,
          runnerId: row.id,
          name: `runner-${body.name}`,
          roles: ['runner' as const],
        }
        const { secret } = await createToken(tx, token)
        await recordEvent(tx, 'created', toRunner(row, 0))
        return { status: 201, value: { runner: toRunner(row, 0), token: secret } }
      }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}`,
    tag,
    summary: 'Show a runner',
    roles: readers,
    params: idOrNameParams,
    answer: { status: 200, schema: runnerSchema, description: 'The runner' },
    handle: async ({ caller, params }) => {
      const row = found(await findRunner(database, caller.organizationId, params.id), 'runner', params.id)
      const counts = await countEnvironments(database, [row.id])
      return { status: 200, value: toRunner(row, counts.get(row.id) ?? 0) }
    },
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}/why`,
    tag,
    summary: 'Say in words why a runner is as it is',
    roles: readers,
    params: idOrNameParams,
    answer: {
      status: 200,
      schema: explanationSchema,
      description: 'A sentence, its evidence, and what comes next',
    },
    handle: async ({ caller, params }) => {
      const row = await findRunner(database, caller.organizationId, params.id)
      return { status: 200, value: await explainRunner(database, found(row, 'runner', params.id)) }
    },
  })
  addEndpoint(application, services, {
    method: 'patch',
    path: `${path}/{id}`,
    tag,
    summary: 'Change a runner: labels, region, or scheduling (enabled, cordoned, draining)',
    roles: administrators,
    params: idOrNameParams,
    body: runnerUpdateSchema,
    answer: { status: 200, schema: runnerSchema, description: 'The runner' },
    handle: async ({ caller, params, body, expectedVersion }) =>
      transact(database, async (tx) => {
        const { id } = found(await findRunner(tx, caller.organizationId, params.id), 'runner', params.id)
        const row = found(await lockRunner(tx, id), 'runner', params.id)
        requireVersion(expectedVersion, row.spec_version)
        const spec = {
          region: body.spec?.region ?? row.spec.region,
          scheduling: body.spec?.scheduling ?? row.spec.scheduling,
        }
        const changed = await changeRunner(tx, id, { labels: body.labels ?? row.labels, spec })
        const settled = await settleRunner(
          tx,
          changed,
          {},
          { now: clock.now(), listeningSince: listening.since, leaseMilliseconds: timings.runnerLease },
        )
        const counts = await countEnvironments(tx, [id])
        return { status: 200, value: toRunner(settled.row, counts.get(id) ?? 0) }
      }),
  })
  addEndpoint(application, services, {
    method: 'delete',
    path: `${path}/{id}`,
    tag,
    summary: 'Remove a runner that has no machines; with force=true its machines are given up',
    roles: administrators,
    params: idOrNameParams,
    query: z.strictObject({ force: z.enum(['true', 'false']).default('false') }),
    answer: { status: 200, schema: runnerSchema, description: 'The runner as it was' },
    handle: async ({ caller, params, query, expectedVersion }) => {
      const removed = await transact(database, async (tx) => {
        const { id } = found(await findRunner(tx, caller.organizationId, params.id), 'runner', params.id)
        const row = found(await lockRunner(tx, id), 'runner', params.id)
        requireVersion(expectedVersion, row.spec_version)
        const environments = (await countEnvironments(tx, [id])).get(id) ?? 0
        if (environments > 0 && query.force !== 'true') {
          throw new HearthError(
            'conflict',
            `${environments} machines are on ${row.name}: drain it first, or use force=true`,
          )
        }
        await deleteTokensOfRunner(tx, id)
        const gone = await setRunnerStatus(tx, row, { phase: 'deleted', deletedAt: clock.now() })
        await wakeAll(tx, 'environment', await environmentIdsOn(tx, gone.id))
        await wakeAll(tx, 'warm-pool', await poolIdsToWake(tx, gone))
        await recordEvent(tx, 'deleted', toRunner(gone, environments))
        return toRunner(gone, environments)
      })
      await revocations.tell()
      await messaging.removeRunner(removed.metadata.id)
      return { status: 200, value: removed }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/registration`,
    tag,
    summary:
      'For agents: begin a new lease. Raises the epoch; an agent with an older one is refused from then on',
    roles: ['runner'],
    params: z.object({ id: idSchema }),
    body: registrationRequestSchema,
    answer: { status: 200, schema: registrationSchema, description: 'The epoch and how to reach NATS' },
    handle: async ({ caller, params, body, context }) => {
      if (caller.runnerId !== params.id) throw new HearthError('forbidden', 'the token is another runner’s')
      const { signal: gone } = context.req.raw
      const renews = context.req.header(renewsCredentialsHeader) !== undefined
      return { status: 200, value: await register(services, params.id, body.facts, { gone, renews }) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/credentials`,
    tag,
    summary: 'For agents: new credentials for NATS, before those they have end. The lease stays as it is',
    roles: ['runner'],
    params: z.object({ id: idSchema }),
    answer: { status: 200, schema: natsCredentialsSchema, description: 'The credentials and when they end' },
    handle: async ({ caller, params }) => {
      if (caller.runnerId !== params.id) throw new HearthError('forbidden', 'the token is another runner’s')
      return { status: 200, value: await issueCredentials(services, params.id, { end: true }) }
    },
  })
}
