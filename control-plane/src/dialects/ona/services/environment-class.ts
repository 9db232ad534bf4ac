import type { ServiceImpl } from '@connectrpc/connect'
import { environmentClasses, toEnvironmentClass } from '../../../kinds/environment-class/index.ts'
import type { PaginationRequest } from '../generated/gitpod/v1/pagination_pb.ts'
import type { RunnerConfigurationService } from '../generated/gitpod/v1/runner_configuration_pb.ts'
import { toOnaEnvironmentClass } from '../translate/environment-class.ts'
import { type Call, callOf } from '../wire/call.ts'
import { page } from '../wire/paging.ts'

interface ClassFilter {
  enabled?: boolean | undefined
  runnerIds: readonly string[]
}

/** All classes are enabled, and of every runner. */
export async function listClasses(
  { caller, services }: Call,
  pagination: PaginationRequest | undefined,
  filter: ClassFilter | undefined,
) {
  if (filter?.enabled === false) return { pagination: {}, environmentClasses: [] }
  const { organizationId } = caller
  const found = await page(pagination, (asked) =>
    environmentClasses.list(services.database, { ...asked, organizationId }),
  )
  const items = found.rows.map((row) => toOnaEnvironmentClass(toEnvironmentClass(row)))
  return { pagination: found.pagination, environmentClasses: items }
}

type Methods = 'getEnvironmentClass' | 'listEnvironmentClasses'

export const runnerConfigurationService: Pick<ServiceImpl<typeof RunnerConfigurationService>, Methods> = {
  async getEnvironmentClass({ environmentClassId }, context) {
    const { caller, services } = callOf(context)
    const row = await environmentClasses.get(services.database, caller, environmentClassId)
    return { environmentClass: toOnaEnvironmentClass(toEnvironmentClass(row)) }
  },

  listEnvironmentClasses: ({ pagination, filter }, context) =>
    listClasses(callOf(context), pagination, filter),
}
