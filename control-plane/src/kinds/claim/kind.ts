import {
  certificateRequestSchema,
  claimCreateSchema,
  claimPhaseSchema,
  claimSchema,
  connectionSchema,
  extendSchema,
  claimKind as words,
} from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { mayEnter, readers, writers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { idOrSharedNameParams, nameQuery } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { type AddRoute, routesOf } from '../../resource/routes.ts'
import { activity, extension } from '../environment/index.ts'
import { createClaim } from './commands/create.ts'
import { extendClaim, useClaim } from './commands/live.ts'
import { releaseClaim } from './commands/release.ts'
import { retryClaim } from './commands/retry.ts'
import { signClaimCertificate } from './commands/sign-certificate.ts'
import { connect } from './connect.ts'
import { showClaim, showClaims } from './lives.ts'
import { claims } from './queries.ts'
import { claimReconciler } from './reconcile.ts'
import { toClaim } from './table.ts'
import { waitWhilePending } from './wait.ts'
import { explainClaim } from './why-queries.ts'

const waitQuery = z.strictObject({
  waitSeconds: z.coerce
    .number()
    .int()
    .min(0)
    .max(60)
    .default(0)
    .meta({ description: 'Wait this long while it is pending' }),
})

const routes = routesOf({
  words,
  params: idOrSharedNameParams,
  find: claims.find,
  show: (queryable, row) => showClaim(queryable, row),
  showListed: showClaims,
})

const showOne: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: `${words.path}/{id}`,
    tag: words.tag,
    summary: 'Show a claim; for who made it, and administrators, with a connection for the key that claimed',
    roles: readers,
    params: idOrSharedNameParams,
    query: waitQuery,
    answer: { status: 200, schema: claimSchema, description: 'The claim' },
    handle: async ({ caller, params, query, context }) => {
      const { database } = services
      const read = () => claims.get(database, caller, params.id)
      const row = await waitWhilePending(services, caller, read, query.waitSeconds, context.req.raw.signal)
      const isTheirs = mayEnter(caller, row.creator)
      const connection = isTheirs ? await connect(services, database, row, caller.principalId) : null
      return { status: 200, value: await showClaim(database, row, connection) }
    },
  })

const life = { description: 'The claim, without a connection', roles: writers }

export const claimKind: Kind = {
  name: 'claim',
  routes: [
    routes.create(
      {
        summary: 'Claim a ready environment: the answer opens it by SSH',
        description: 'The claim; bound with a connection, or pending (cold)',
        roles: writers,
        body: claimCreateSchema,
        value: ({ row, connection, life }) => toClaim(row, connection, life),
      },
      createClaim,
    ),
    routes.list(
      {
        summary: 'List claims; released ones only with phase=released',
        description: 'Claims, without connections',
      },
      { name: nameQuery, phase: claimPhaseSchema.optional() },
      (queryable, { name, phase, ...page }) => claims.list(queryable, page, { name, phase }),
    ),
    showOne,
    routes.why('Say in words why a claim is as it is: why it is cold, what it waits for', explainClaim),
    routes.remove(
      {
        summary:
          'Release a claim: its environment is deleted and never given to anyone else; force=true does not wait for its runner',
        description: 'The claim',
        roles: writers,
        status: 202,
        takesForce: true,
      },
      releaseClaim,
    ),
    routes.action('extend', { ...life, ...extension, body: extendSchema }, extendClaim),
    routes.action('activity', { ...life, ...activity }, useClaim),
    routes.action(
      'retry',
      {
        summary:
          'Try a failed claim once more: bind its environment again, or have that tried again; anything else is ordered again and looked at at once',
        description: 'The claim',
        roles: writers,
        status: 202,
      },
      retryClaim,
    ),
    routes.action(
      'certificates',
      {
        summary: 'Sign another certificate for a claim, for the same key or another',
        description: 'Address, pinned host key and certificate',
        roles: writers,
        body: certificateRequestSchema,
        schema: connectionSchema,
        value: (connection) => connection,
      },
      signClaimCertificate,
    ),
  ],
  reconcilers: () => [claimReconciler],
}
