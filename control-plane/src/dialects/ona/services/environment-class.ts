import type { ServiceImpl } from '@connectrpc/connect'
import { environmentClassCreateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { validate } from '../../../api/validation.ts'
import {
  changeEnvironmentClass,
  createEnvironmentClass,
  environmentClasses,
  toEnvironmentClass,
} from '../../../kinds/environment-class/index.ts'
import type { PaginationRequest } from '../generated/gitpod/v1/pagination_pb.ts'
import {
  CreateEnvironmentClassResponseSchema,
  type RunnerConfigurationService,
  RunnerKind,
  RunnerProvider,
  UpdateEnvironmentClassResponseSchema,
} from '../generated/gitpod/v1/runner_configuration_pb.ts'
import { classLabels, nativeSize, toOnaEnvironmentClass } from '../translate/environment-class.ts'
import { nativeName } from '../translate/native-project.ts'
import { type Call, callOf } from '../wire/call.ts'
import { isOnlyOther, page } from '../wire/paging.ts'
import { withFreeName } from './free-name.ts'
import { hostTokens } from './host-token.ts'
import { withLabels } from './with-labels.ts'

interface ClassFilter {
  enabled?: boolean | undefined
  canCreateEnvironments?: boolean | undefined
  runnerKinds: readonly RunnerKind[]
  runnerProviders: readonly RunnerProvider[]
}

/** All classes are enabled, and of every runner. */
export async function listClasses(
  { caller, services }: Call,
  pagination: PaginationRequest | undefined,
  filter: ClassFilter | undefined,
) {
  const isOfNone =
    filter?.enabled === false ||
    filter?.canCreateEnvironments === false ||
    isOnlyOther(filter?.runnerKinds, [RunnerKind.REMOTE]) ||
    isOnlyOther(filter?.runnerProviders, [RunnerProvider.LINUX_HOST])
  if (isOfNone) return { pagination: {}, environmentClasses: [] }
  const { organizationId } = caller
  const found = await page(pagination, (asked) =>
    environmentClasses.list(services.database, { ...asked, organizationId }),
  )
  const items = found.rows.map((row) => toOnaEnvironmentClass(toEnvironmentClass(row)))
  return { pagination: found.pagination, environmentClasses: items }
}

type Methods =
  | keyof typeof hostTokens
  | 'createEnvironmentClass'
  | 'getEnvironmentClass'
  | 'listEnvironmentClasses'
  | 'updateEnvironmentClass'

export const runnerConfigurationService: Pick<ServiceImpl<typeof RunnerConfigurationService>, Methods> = {
  ...hostTokens,

  /** It is of every runner that has its image, whichever is named. */
  async createEnvironmentClass({ displayName, description, configuration }, context) {
    const wanted = {
      labels: { [classLabels.name]: displayName, [classLabels.description]: description },
      spec: nativeSize(configuration),
    }
    const answer = CreateEnvironmentClassResponseSchema
    return withFreeName(nativeName(displayName, 'class'), (name) => {
      const body = validate(environmentClassCreateSchema, { name, ...wanted }, 'body')
      return callOf(context).perform(createEnvironmentClass, body, answer, ({ id }) => ({ id }))
    })
  },

  async updateEnvironmentClass(
    { environmentClassId: reference, displayName, description, enabled },
    context,
  ) {
    const call = callOf(context)
    if (enabled === false)
      throw new HearthError(
        'unprocessable',
        'enabled: must be true: a class that is not to be used is deleted',
      )
    const changes = { [classLabels.name]: displayName, [classLabels.description]: description }
    const labelling = withLabels(changeEnvironmentClass, environmentClasses.lockForChange, changes)
    const answer = UpdateEnvironmentClassResponseSchema
    return call.perform(labelling, { reference, body: {} }, answer, () => ({}))
  },

  async getEnvironmentClass({ environmentClassId }, context) {
    const { caller, services } = callOf(context)
    const row = await environmentClasses.get(services.database, caller, environmentClassId)
    return { environmentClass: toOnaEnvironmentClass(toEnvironmentClass(row)) }
  },

  listEnvironmentClasses: ({ pagination, filter }, context) =>
    listClasses(callOf(context), pagination, filter),
}
