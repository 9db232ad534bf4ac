import {
  idSchema,
  listQuerySchema,
  listSchema,
  roleSchema,
  tokenCreatedSchema,
  tokenCreateSchema,
  tokenSchema,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { administrators } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, page } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { requireResource } from '../quota/index.ts'
import { createPrincipal, createToken, deleteToken, listTokens } from './queries.ts'
import { toToken } from './table.ts'

const callerSchema = z.object({
  principalId: idSchema,
  organizationId: idSchema,
  name: z.string(),
  roles: z.array(roleSchema),
})

export function addTokenRoutes(application: Application, services: Services): void {
  const { database, clock } = services
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/whoami',
    tag: 'Tokens',
    summary: 'Who the token belongs to and what it may do',
    roles: [],
    answer: { status: 200, schema: callerSchema, description: 'The caller' },
    handle: async ({ caller: { principalId, organizationId, name, roles } }) => ({
      status: 200,
      value: { principalId, organizationId, name, roles },
    }),
  })
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/tokens',
    tag: 'Tokens',
    summary: 'List tokens, without their secrets',
    roles: administrators,
    query: listQuerySchema,
    answer: { status: 200, schema: listSchema(tokenSchema), description: 'Tokens' },
    handle: async ({ caller, query }) => {
      const rows = await listTokens(database, caller.organizationId, query.limit, query.after)
      return { status: 200, value: page(rows, query.limit, toToken) }
    },
  })
  addEndpoint(application, services, {
    method: 'post',
    path: '/v1/tokens',
    tag: 'Tokens',
    summary: 'Make a token for a new service account; the answer is the only one that holds its secret',
    roles: administrators,
    body: tokenCreateSchema,
    answer: { status: 201, schema: tokenCreatedSchema, description: 'The token and its secret' },
    handle: async ({ caller, body, once }) =>
      once(async (tx) => {
        const { organizationId } = caller
        requireFuture(body.expiresAt, clock.now())
        await requireResource(tx, organizationId, caller.limits, 'tokens')
        const principal = {
          organization_id: organizationId,
          kind: 'service_account' as const,
          name: body.name,
        }
        const { row, secret } = await createToken(tx, {
          organizationId,
          principalId: await createPrincipal(tx, principal),
          name: body.name,
          roles: body.roles,
          expiresAt: body.expiresAt === undefined ? undefined : new Date(body.expiresAt),
        })
        return { status: 201, value: { ...toToken(row), secret } }
      }),
  })
  addEndpoint(application, services, {
    method: 'delete',
    path: '/v1/tokens/{id}',
    tag: 'Tokens',
    summary: 'Revoke a token at once',
    roles: administrators,
    params: idParams,
    answer: { status: 200, schema: tokenSchema, description: 'The token as it was' },
    handle: async ({ caller, params }) => {
      const row = found(await deleteToken(database, caller.organizationId, params.id), 'token', params.id)
      return { status: 200, value: toToken(row) }
    },
  })
}

function requireFuture(expiresAt: string | undefined, now: Date): void {
  if (expiresAt === undefined || Date.parse(expiresAt) > now.getTime()) return
  throw new HearthError('invalid', 'the token would have ended before it is made', {
    details: [
      { field: 'body.expiresAt', given: expiresAt, expected: `a time after now, ${now.toISOString()}` },
    ],
  })
}
