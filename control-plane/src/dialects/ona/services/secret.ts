import type { ServiceImpl } from '@connectrpc/connect'
import { HearthError } from '@hearth/foundation'
import {
  changeSecret,
  createSecret,
  deleteSecret,
  type NamedSecret,
  projects,
  searchSecrets,
} from '../../../kinds/project/index.ts'
import {
  type CreateSecretRequest,
  CreateSecretResponseSchema,
  DeleteSecretResponseSchema,
  type SecretScope,
  type SecretService,
  UpdateSecretValueResponseSchema,
} from '../generated/gitpod/v1/secret_pb.ts'
import { toOnaSecret } from '../translate/secret.ts'
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
    const wanted = { project: projectOf(given.scope, given.projectId), name, value }
    return call.perform(createSecret, wanted, CreateSecretResponseSchema, async (row, tx) => {
      const [secret] = await shown(tx, [row], call)
      return { secret }
    })
  },

  async listSecrets({ pagination, filter }, context) {
    const call = callOf(context)
    const { database } = call.services
    const { organizationId } = call.caller
    const scope = filter?.scope?.scope
    // Nobody else has secrets here.
    if (scope?.case !== undefined && scope.case !== 'projectId') return { pagination: {}, secrets: [] }
    const projectIds = scope?.case === 'projectId' ? [scope.value] : filter?.projectIds
    const found = await page(pagination, (asked) =>
      searchSecrets(database, { ...asked, organizationId }, { projectIds }),
    )
    return { pagination: found.pagination, secrets: await shown(database, found.rows, call) }
  },

  async updateSecretValue({ secretId: id, value }, context) {
    const answer = UpdateSecretValueResponseSchema
    return callOf(context).perform(changeSecret, { id, value }, answer, () => ({}))
  },

  async deleteSecret({ secretId: id }, context) {
    return callOf(context).perform(deleteSecret, { id }, DeleteSecretResponseSchema, () => ({}))
  },
}

function projectOf(scope: SecretScope | undefined, projectId: string): string {
  const kind = scope?.scope.case
  if (kind !== undefined && kind !== 'projectId')
    throw new HearthError(
      'unprocessable',
      `scope: must be projectId, got ${kind}: only projects have secrets`,
    )
  const id = scope?.scope.case === 'projectId' ? scope.scope.value : projectId
  if (id === '') throw new HearthError('invalid', 'projectId: must be the id of a project, got nothing')
  return id
}

/** A secret is given to set-up commands, tasks and services as a variable. */
function requireVariable({ mount }: Pick<CreateSecretRequest, 'mount'>): void {
  if (mount.case !== 'environmentVariable' || !mount.value)
    throw new HearthError(
      'unprocessable',
      `${mount.case ?? 'environmentVariable'}: must be environmentVariable: true: a secret is given as the variable of its name`,
    )
}
