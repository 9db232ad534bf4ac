import type { ServiceImpl } from '@connectrpc/connect'
import { userSecretCreateSchema, userSecretUpdateSchema } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import { validate } from '../../../api/validation.ts'
import {
  changeSecret,
  createSecret,
  deleteSecret,
  type NamedSecret,
  projects,
  searchSecrets,
} from '../../../kinds/project/index.ts'
import {
  changeUserSecret,
  createUserSecret,
  deleteUserSecret,
  ownSecrets,
} from '../../../kinds/user-secret/index.ts'
import {
  type CreateSecretRequest,
  CreateSecretResponseSchema,
  DeleteSecretResponseSchema,
  type SecretScope,
  type SecretService,
  UpdateSecretValueResponseSchema,
} from '../generated/gitpod/v1/secret_pb.ts'
import { toOnaSecret, toOnaUserSecret } from '../translate/secret.ts'
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { page } from '../wire/paging.ts'

async function shown(queryable: Queryable, rows: readonly NamedSecret[], { caller }: Call) {
  const ids = [...new Set(rows.map(({ projectId }) => projectId))]
  const { organizationId } = caller
  const owners =
    ids.length === 0 ? [] : await projects.list(queryable, { organizationId, limit: ids.length }, { id: ids })
  return rows.map((row) => toOnaSecret(row, owners.find(({ id }) => id === row.projectId) ?? null))
}

type Methods = 'createSecret' | 'listSecrets' | 'updateSecretValue' | 'deleteSecret'

/** Values never come out: what would tell one is not implemented. */
export const secretService: Pick<ServiceImpl<typeof SecretService>, Methods> = {
  async createSecret(given, context) {
    const call = callOf(context)
    const { name, value } = given
    requireVariable(given)
    const scope = scopeOf(given.scope, given.projectId, call)
    if (scope.of === 'user') {
      const body = validate(userSecretCreateSchema, { spec: { variable: name, value } }, 'body')
      return call.perform(createUserSecret, body, CreateSecretResponseSchema, (row) => ({
        secret: toOnaUserSecret(row),
      }))
    }
    const wanted = { project: scope.id, name, value }
    return call.perform(createSecret, wanted, CreateSecretResponseSchema, async (row, tx) => {
      const [secret] = await shown(tx, [row], call)
      return { secret }
    })
  },

  /** Those of projects, unless one's own are asked for. */
  async listSecrets({ pagination, filter }, context) {
    const call = callOf(context)
    const { database } = call.services
    const { caller } = call
    const { organizationId } = caller
    const scope = filter?.scope?.scope
    if (scope?.case === 'userId' && scope.value === caller.principalId) {
      const own = await page(pagination, (asked) =>
        ownSecrets.list(database, { ...asked, organizationId }, caller, 'variable'),
      )
      return { pagination: own.pagination, secrets: own.rows.map(toOnaUserSecret) }
    }
    if (scope?.case !== undefined && scope.case !== 'projectId') return { pagination: {}, secrets: [] }
    const projectIds = scope?.case === 'projectId' ? [scope.value] : filter?.projectIds
    const found = await page(pagination, (asked) =>
      searchSecrets(database, { ...asked, organizationId }, { projectIds }),
    )
    return { pagination: found.pagination, secrets: await shown(database, found.rows, call) }
  },

  async updateSecretValue({ secretId: id, value }, context) {
    const call = callOf(context)
    const answer = UpdateSecretValueResponseSchema
    if (!(await isOwn(call, id))) return call.perform(changeSecret, { id, value }, answer, () => ({}))
    const body = validate(userSecretUpdateSchema, { spec: { value } }, 'body')
    return call.perform(changeUserSecret, { reference: id, body }, answer, () => ({}))
  },

  async deleteSecret({ secretId: id }, context) {
    const call = callOf(context)
    const answer = DeleteSecretResponseSchema
    return (await isOwn(call, id))
      ? call.perform(deleteUserSecret, { reference: id, body: {} }, answer, () => ({}))
      : call.perform(deleteSecret, { id }, answer, () => ({}))
  },
}

const isOwn = async ({ services, caller }: Call, id: string) =>
  isId(id) && (await ownSecrets.find(services.database, caller, id)) !== undefined

/** Whose a new secret is: a project's, or the caller's own. */
function scopeOf(
  scope: SecretScope | undefined,
  projectId: string,
  { caller }: Call,
): { of: 'user' } | { of: 'project'; id: string } {
  const given = scope?.scope
  if (given?.case === 'userId') {
    if (given.value === caller.principalId) return { of: 'user' }
    throw new HearthError('forbidden', 'scope.userId: must be your own id: everybody keeps their own secrets')
  }
  if (given?.case !== undefined && given.case !== 'projectId')
    throw new HearthError(
      'unprocessable',
      `scope: must be projectId or userId, got ${given.case}: only projects and people have secrets`,
    )
  const id = given?.case === 'projectId' ? given.value : projectId
  if (!isId(id)) throw new HearthError('invalid', 'projectId: must be the id of a project')
  return { of: 'project', id }
}

/** A secret is given to set-up commands, tasks and services as a variable, as it was sent. */
function requireVariable({
  mount,
  credentialProxy,
  source,
}: Pick<CreateSecretRequest, 'mount' | 'credentialProxy' | 'source'>): void {
  if (credentialProxy !== undefined)
    throw new HearthError(
      'unprocessable',
      'credentialProxy: must not be given: a machine would see the secret, which no proxy keeps from it',
    )
  if (source?.value.case === 'oidcJfrog')
    throw new HearthError('unprocessable', 'source: must be verbatim: no secret is fetched from elsewhere')
  if (mount.case !== 'environmentVariable' || !mount.value)
    throw new HearthError(
      'unprocessable',
      `${mount.case ?? 'environmentVariable'}: must be environmentVariable: true: a secret is given as the variable of its name`,
    )
}
