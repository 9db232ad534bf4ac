import {
  type Connection,
  certificateRequestSchema,
  claimCreateSchema,
  claimPhaseSchema,
  claimSchema,
  connectionSchema,
  explanationSchema,
  listQuerySchema,
  listSchema,
} from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { mayEnter, readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, nameQuery, page, requireVersion } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { wake, wakeAfter } from '../../reconciling/wake.ts'
import {
  connectionTo,
  desireDeletion,
  findEnvironment,
  forget,
  lockEnvironment,
} from '../environment/index.ts'
import type { CertificateAuthorities } from '../organization/index.ts'
import { createClaim } from './create.ts'
import { findClaim, listClaims, lockClaim } from './queries.ts'
import { type ClaimRow, toClaim } from './table.ts'
import { waitWhilePending } from './wait.ts'
import { explainClaim } from './why-sight.ts'

/** Claims come in bursts; the pool then refills for all of them at once. */
const refillPauseMilliseconds = 100

const tag = 'Claims'
const path = '/v1/claims'
const waitQuery = z.strictObject({
  waitSeconds: z.coerce
    .number()
    .int()
    .min(0)
    .max(60)
    .default(0)
    .meta({ description: 'Wait this long while it is pending' }),
})

export function addClaimRoutes(
  application: Application,
  services: Services,
  authorities: CertificateAuthorities,
): void {
  const { database, clock, metrics, log } = services

  /** A new certificate for the key that claimed, or null while there is nothing to connect to. */
  const connect = async (
    row: ClaimRow,
    principalId: string,
    publicKey = row.spec.publicKey,
  ): Promise<Connection | null> => {
    if (row.phase !== 'bound' || row.environment_id === null) return null
    const environment = await findEnvironment(database, row.organization_id, row.environment_id)
    const address = environment?.status.address ?? null
    if (environment === undefined || address === null) return null
    // A released machine is on its way out, whatever the claim says until its reconciler has been there.
    if (environment.claim_id !== row.id || environment.desired_phase === 'deleted') return null
    const authority = await authorities.of(database, row.organization_id)
    const signedFor = { publicKey, keyId: `claim:${row.id} principal:${principalId}` }
    return connectionTo(authority, { id: environment.id, address }, signedFor, clock.now())
  }

  addEndpoint(application, services, {
    method: 'post',
    path,
    tag,
    summary: 'Claim a ready machine: the answer opens it by SSH',
    roles: writers,
    body: claimCreateSchema,
    answer: {
      status: 201,
      schema: claimSchema,
      description: 'The claim; bound with a connection, or pending (cold)',
    },
    handle: async ({ caller, body, once }) => {
      let poolId: string | null = null
      const answer = await once(async (tx) => {
        const { row, pool, connection } = await createClaim(tx, authorities, clock, caller, body)
        poolId = pool.id
        metrics.claims.inc({ outcome: row.status.source })
        return { status: 201, value: toClaim(row, connection) }
      }).catch((error: unknown) => {
        if (error instanceof HearthError && error.code === 'pool_empty')
          metrics.claims.inc({ outcome: 'refused' })
        throw error
      })
      // Not in the transaction, where all claims of a pool would queue for the one row of its wake; the pool's own
      // timer makes up for one that is lost.
      if (poolId !== null) {
        wakeAfter(database, 'warm-pool', poolId, refillPauseMilliseconds).catch((error: unknown) =>
          log.warn({ err: toError(error), poolId }, 'could not wake a pool'),
        )
      }
      return answer
    },
  })
  addEndpoint(application, services, {
    method: 'get',
    path,
    tag,
    summary: 'List claims; released ones only with phase=released',
    roles: readers,
    query: listQuerySchema.extend({
      name: nameQuery,
      phase: claimPhaseSchema.optional(),
    }),
    answer: { status: 200, schema: listSchema(claimSchema), description: 'Claims, without connections' },
    handle: async ({ caller, query }) => {
      const rows = await listClaims(database, { organizationId: caller.organizationId, ...query })
      return { status: 200, value: page(rows, query.limit, (row) => toClaim(row, null)) }
    },
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}`,
    tag,
    summary: 'Show a claim; for who made it, and administrators, with a connection for the key that claimed',
    roles: readers,
    params: idParams,
    query: waitQuery,
    answer: { status: 200, schema: claimSchema, description: 'The claim' },
    handle: async ({ caller, params, query, context }) => {
      const read = async () =>
        found(await findClaim(database, caller.organizationId, params.id), 'claim', params.id)
      const row = await waitWhilePending(services, caller, read, query.waitSeconds, context.req.raw.signal)
      const connection = mayEnter(caller, row.creator) ? await connect(row, caller.principalId) : null
      return { status: 200, value: toClaim(row, connection) }
    },
  })
  addEndpoint(application, services, {
    method: 'get',
    path: `${path}/{id}/why`,
    tag,
    summary: 'Say in words why a claim is as it is: why it is cold, what it waits for',
    roles: readers,
    params: idParams,
    answer: {
      status: 200,
      schema: explanationSchema,
      description: 'A sentence, its evidence, and what comes next',
    },
    handle: async ({ caller, params }) => {
      const row = await findClaim(database, caller.organizationId, params.id)
      return { status: 200, value: await explainClaim(database, found(row, 'claim', params.id), clock.now()) }
    },
  })
  addEndpoint(application, services, {
    method: 'delete',
    path: `${path}/{id}`,
    tag,
    summary:
      'Release a claim: its machine is deleted and never given to anyone else; force=true does not wait for its runner',
    roles: writers,
    params: idParams,
    query: z.strictObject({ force: z.enum(['true', 'false']).default('false') }),
    answer: { status: 202, schema: claimSchema, description: 'The claim' },
    handle: async ({ caller, params, query, expectedVersion }) =>
      transact(database, async (tx) => {
        const own = found(await findClaim(tx, caller.organizationId, params.id), 'claim', params.id)
        requireVersion(expectedVersion, own.spec_version)
        const environment =
          own.environment_id === null ? undefined : await lockEnvironment(tx, own.environment_id)
        if (environment !== undefined && environment.phase !== 'deleted') {
          const because = { reason: 'claim_released' as const, principalId: caller.principalId }
          const now = clock.now()
          const going = await desireDeletion(tx, environment, because, now)
          if (query.force === 'true') await forget(tx, going, now)
        }
        const row = found(await lockClaim(tx, params.id), 'claim', params.id)
        await wake(tx, 'claim', row.id)
        return { status: 202, value: toClaim(row, null) }
      }),
  })
  addEndpoint(application, services, {
    method: 'post',
    path: `${path}/{id}/certificates`,
    tag,
    summary: 'Sign another certificate for a claim, for the same key or another',
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
        const row = found(await findClaim(tx, caller.organizationId, params.id), 'claim', params.id)
        if (!mayEnter(caller, row.creator)) {
          throw new HearthError(
            'forbidden',
            `claim ${row.name} is someone else’s: only they and administrators enter it`,
          )
        }
        const connection = await connect(row, caller.principalId, body.publicKey)
        if (connection === null)
          throw new HearthError(
            'conflict',
            `claim ${row.name} is ${row.phase === 'bound' ? 'being released' : row.phase}: there is nothing to connect to`,
          )
        return { status: 201, value: connection }
      }),
  })
}
