import type { Role } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import type { Application } from '../../api/application.ts'
import { administrators, type Caller } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import type { Services } from '../../api/services.ts'
import { issueToken, revokeToken, type TokenRow, tokens } from '../../kinds/token/index.ts'
import { FelderaError, felderaErrors } from './error.ts'
import { requireName } from './names.ts'

const tag = 'API keys'
const roleSchema = z.enum(['read', 'write', 'admin'])
export type KeyRole = z.infer<typeof roleSchema>
const keySchema = z.object({ id: z.string(), name: z.string(), role: roleSchema }).meta({ id: 'ApiKeyDescr' })
const createdSchema = z
  .object({ id: z.string(), name: z.string(), api_key: z.string() })
  .meta({ id: 'NewApiKeyResponse' })
const createSchema = z
  .object({ name: z.string(), role: roleSchema.default('write') })
  .meta({ id: 'NewApiKeyRequest' })
const params = z.object({ api_key_name: z.string().max(1_000) })

const roles = { read: 'viewer', write: 'member', admin: 'administrator' } as const satisfies Record<
  KeyRole,
  Role
>

/** The strongest of what a token may do here; null for one that may do nothing here, such as join runners. */
export function keyRoleOf(held: readonly Role[]): KeyRole | null {
  if (held.includes('administrator')) return 'admin'
  if (held.includes('member')) return 'write'
  return held.includes('viewer') ? 'read' : null
}

const mostListed = 1_000

/** Every token that may do something here is a key. */
async function readKeys(
  { database }: Services,
  { organizationId }: Caller,
  name?: string,
): Promise<TokenRow[]> {
  const rows = await tokens.list(database, { organizationId, limit: mostListed }, { name })
  return rows.filter((row) => keyRoleOf(row.roles) !== null)
}

const shown = ({ id, name, roles: held }: TokenRow) => ({ id, name, role: keyRoleOf(held) })

export function addApiKeyRoutes(application: Application, services: Services): void {
  const findAll = async (caller: Caller, name: string) => {
    const [row, ...others] = await readKeys(services, caller, name)
    if (row !== undefined) return { row, others }
    throw new FelderaError(404, 'UnknownApiKey', `there is no API key ${name}`, { name })
  }
  /** Tokens that were not made here may share a name, which then does not say which one is meant. */
  const findOnly = async (caller: Caller, name: string) => {
    const { row, others } = await findAll(caller, name)
    if (others.length === 0) return row
    const message = `${others.length + 1} tokens are called ${name}: end the one that is meant by its id, as by \`DELETE /v1/tokens/ID\``
    // Its clients know no other refusal here.
    throw new FelderaError(404, 'UnknownApiKey', message, { name })
  }
  const common = { tag, roles: administrators } as const
  addEndpoint(
    application,
    services,
    {
      ...common,
      method: 'get',
      path: '/api_keys',
      summary: 'List API keys',
      answer: { status: 200, schema: z.array(keySchema), description: 'Keys, without their secrets' },
      handle: async ({ caller }) => ({
        status: 200,
        value: (await readKeys(services, caller)).map(shown),
      }),
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...common,
      method: 'post',
      path: '/api_keys',
      summary: 'Make an API key: the answer is the only one that holds its secret',
      body: createSchema,
      answer: { status: 201, schema: createdSchema, description: 'The key' },
      handle: async ({ body: { name, role }, perform }) => {
        const wish = { name: requireName(name), roles: [roles[role]], isOnlyOne: true }
        return perform(issueToken, wish, ({ row, secret }) => ({
          status: 201,
          value: { id: row.id, name: row.name, api_key: `apikey:${secret}` },
        }))
      },
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...common,
      method: 'get',
      path: '/api_keys/{api_key_name}',
      summary: 'Show an API key',
      params,
      answer: { status: 200, schema: keySchema, description: 'The key, without its secret' },
      handle: async ({ caller, params: { api_key_name } }) => ({
        status: 200,
        value: shown((await findAll(caller, api_key_name)).row),
      }),
    },
    felderaErrors,
  )
  addEndpoint(
    application,
    services,
    {
      ...common,
      method: 'delete',
      path: '/api_keys/{api_key_name}',
      summary: 'End an API key at once',
      params,
      answer: { status: 200, schema: z.null(), description: 'It is of no use any more' },
      handle: async ({ caller, params: { api_key_name }, perform }) => {
        const { id: reference } = await findOnly(caller, api_key_name)
        return perform(revokeToken, { reference, body: undefined }, () => ({ status: 200, value: null }))
      },
    },
    felderaErrors,
  )
}
