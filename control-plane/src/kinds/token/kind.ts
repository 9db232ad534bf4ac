import { callerSchema, tokenCreatedSchema, tokenCreateSchema, tokenKind as words } from '@hearth/contract'
import { administrators } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { idOrSharedNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { type AddRoute, routesOf } from '../../resource/routes.ts'
import { createToken, revokeToken } from './commands.ts'
import { tokens } from './queries.ts'
import { toToken } from './table.ts'

const routes = routesOf({
  words,
  params: idOrSharedNameParams,
  find: tokens.find,
  show: (_, row) => toToken(row),
})

const whoami: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/whoami',
    tag: words.tag,
    summary: 'Who the token belongs to and what it may do',
    roles: [],
    answer: { status: 200, schema: callerSchema, description: 'The caller' },
    handle: async ({ caller: { principalId, organizationId, name, roles } }) => ({
      status: 200,
      value: { principalId, organizationId, name, roles },
    }),
  })

export const tokenKind: Kind = {
  name: 'token',
  routes: [
    whoami,
    routes.list(
      { summary: 'List tokens, without their secrets', description: 'Tokens', roles: administrators },
      {},
      (queryable, page) => tokens.list(queryable, page),
    ),
    routes.create(
      {
        summary: 'Make a token for a new service account; the answer is the only one that holds its secret',
        description: 'The token and its secret',
        roles: administrators,
        body: tokenCreateSchema,
        schema: tokenCreatedSchema,
        value: ({ row, secret }) => ({ ...toToken(row), secret }),
      },
      createToken,
    ),
    routes.remove(
      { summary: 'Revoke a token at once', description: 'The token as it was', roles: administrators },
      revokeToken,
    ),
  ],
}
