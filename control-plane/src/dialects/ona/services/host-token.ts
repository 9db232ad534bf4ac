import type { ServiceImpl } from '@connectrpc/connect'
import { userSecretCreateSchema, userSecretUpdateSchema } from '@hearth/contract'
import { HearthError, isId } from '@hearth/foundation'
import { found } from '../../../api/lookup.ts'
import { validate } from '../../../api/validation.ts'
import {
  changeUserSecret,
  createUserSecret,
  deleteUserSecret,
  ownSecrets,
  type UserSecretRow,
} from '../../../kinds/user-secret/index.ts'
import {
  CreateHostAuthenticationTokenResponseSchema,
  DeleteHostAuthenticationTokenResponseSchema,
  HostAuthenticationTokenSource,
  type RunnerConfigurationService,
  UpdateHostAuthenticationTokenResponseSchema,
} from '../generated/gitpod/v1/runner_configuration_pb.ts'
import { tokenRunner, toOnaHostToken } from '../translate/host-token.ts'
import { timeOf } from '../translate/values.ts'
import { type Call, callOf } from '../wire/call.ts'
import { page } from '../wire/paging.ts'

type Methods =
  | 'createHostAuthenticationToken'
  | 'getHostAuthenticationToken'
  | 'listHostAuthenticationTokens'
  | 'updateHostAuthenticationToken'
  | 'deleteHostAuthenticationToken'

/** Passwords with which git gets at a host: secrets of the caller's own. */
export const hostTokens: Pick<ServiceImpl<typeof RunnerConfigurationService>, Methods> = {
  async createHostAuthenticationToken(given, context) {
    const call = callOf(context)
    const { runnerId, userId, subject, host, token, source, expiresAt } = given
    if (runnerId !== '' && !isId(runnerId))
      throw new HearthError('invalid', 'runnerId: must be the id of a runner, or absent')
    if (source === HostAuthenticationTokenSource.OAUTH)
      throw new HearthError(
        'unprocessable',
        'source: must be HOST_AUTHENTICATION_TOKEN_SOURCE_PAT: nobody signs in by OAuth',
      )
    if (![userId, subject?.id].every((id) => !id || id === call.caller.principalId))
      throw new HearthError('forbidden', 'userId: must be your own id: everybody keeps their own tokens')
    const wanted = {
      labels: runnerId === '' ? {} : { [tokenRunner]: runnerId },
      spec: {
        gitHost: host,
        value: token,
        expiresAt: timeOf(expiresAt, 'expiresAt')?.toISOString() ?? null,
      },
    }
    const body = validate(userSecretCreateSchema, wanted, 'body')
    const answer = CreateHostAuthenticationTokenResponseSchema
    return call.perform(createUserSecret, body, answer, (row) => ({ token: toOnaHostToken(row) }))
  },

  async getHostAuthenticationToken({ id }, context) {
    return { token: toOnaHostToken(await get(callOf(context), id)) }
  },

  /** One is good on every runner, so that none is left out for another one. */
  async listHostAuthenticationTokens({ pagination, filter }, context) {
    const { caller, services } = callOf(context)
    const { organizationId, principalId } = caller
    if (![filter?.userId, filter?.subjectId].every((id) => !id || id === principalId))
      return { pagination: {}, tokens: [] }
    const own = await page(pagination, (asked) =>
      ownSecrets.list(services.database, { ...asked, organizationId }, caller, 'gitHost'),
    )
    return { pagination: own.pagination, tokens: own.rows.map(toOnaHostToken) }
  },

  async updateHostAuthenticationToken({ id, token, expiresAt }, context) {
    const call = callOf(context)
    const { id: reference } = await get(call, id)
    const spec = {
      ...(token === undefined ? {} : { value: token }),
      ...(expiresAt === undefined ? {} : { expiresAt: timeOf(expiresAt, 'expiresAt')?.toISOString() }),
    }
    const body = validate(userSecretUpdateSchema, { spec }, 'body')
    const answer = UpdateHostAuthenticationTokenResponseSchema
    return call.perform(changeUserSecret, { reference, body }, answer, () => ({}))
  },

  async deleteHostAuthenticationToken({ id }, context) {
    const call = callOf(context)
    const { id: reference } = await get(call, id)
    const answer = DeleteHostAuthenticationTokenResponseSchema
    return call.perform(deleteUserSecret, { reference, body: {} }, answer, () => ({}))
  },
}

async function get({ services, caller }: Call, id: string): Promise<UserSecretRow> {
  const row = isId(id) ? await ownSecrets.find(services.database, caller, id) : undefined
  return found(row?.spec.gitHost == null ? undefined : row, 'host authentication token', id)
}
