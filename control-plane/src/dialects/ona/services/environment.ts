import type { ServiceImpl } from '@connectrpc/connect'
import { HearthError } from '@hearth/foundation'
import { releaseClaim } from '../../../kinds/claim/index.ts'
import {
  countEnvironments,
  createEnvironmentAccessToken,
  createEnvironmentLogToken,
  deleteEnvironment,
  type EnvironmentSearch,
  searchEnvironments,
  useEnvironment,
} from '../../../kinds/environment/index.ts'
import {
  ListEnvironmentsRequest_ArchivalStatus as ArchivalStatus,
  CreateEnvironmentAccessTokenResponseSchema,
  CreateEnvironmentLogsTokenResponseSchema,
  DeleteEnvironmentResponseSchema,
  type EnvironmentService,
  type ListEnvironmentsRequest_Filter,
  type ListEnvironmentsRequest_Sort,
  MarkEnvironmentActiveResponseSchema,
  ListEnvironmentsRequest_SortField as SortField,
} from '../generated/gitpod/v1/environment_pb.ts'
import { EnvironmentRole } from '../generated/gitpod/v1/environment_resource_pb.ts'
import { SortOrder } from '../generated/gitpod/v1/pagination_pb.ts'
import { RunnerKind } from '../generated/gitpod/v1/runner_configuration_pb.ts'
import { environmentLabels } from '../translate/environment-labels.ts'
import { environmentPhases, nativeEnvironmentStates } from '../translate/environment-phases.ts'
import { timeOf } from '../translate/values.ts'
import { callOf } from '../wire/call.ts'
import { counted, isOnlyOther, named, page } from '../wire/paging.ts'
import { environmentChange } from './environment-change.ts'
import { listClasses } from './environment-class.ts'
import { environmentCreation } from './environment-creation.ts'
import { findHeldEnvironment, shownEnvironment } from './environment-shown.ts'
import { portMethods } from './port.ts'

type Methods =
  | keyof typeof environmentCreation
  | keyof typeof environmentChange
  | keyof typeof portMethods
  | 'getEnvironment'
  | 'listEnvironments'
  | 'listEnvironmentClasses'
  | 'deleteEnvironment'
  | 'markEnvironmentActive'
  | 'createEnvironmentLogsToken'
  | 'createEnvironmentAccessToken'

export const environmentService: Pick<ServiceImpl<typeof EnvironmentService>, Methods> = {
  ...environmentCreation,
  ...environmentChange,
  ...portMethods,

  async getEnvironment({ environmentId }, context) {
    const call = callOf(context)
    const { database } = call.services
    return {
      environment: await shownEnvironment(
        database,
        await findHeldEnvironment(database, call, environmentId),
        call,
      ),
    }
  },

  async listEnvironments({ pagination, filter, count, sort }, context) {
    const call = callOf(context)
    requireNewestFirst(sort)
    if (isOfNone(filter)) return { pagination: {}, ...(await counted(count, async () => 0)) }
    const { database } = call.services
    const { organizationId } = call.caller
    const search: EnvironmentSearch = {
      projectIds: filter?.projectIds,
      runnerIds: filter?.runnerIds,
      states: nativeEnvironmentStates(named(filter?.statusPhases)),
      creatorIds: filter?.creatorIds,
      createdBefore: timeOf(filter?.createdBefore, 'filter.createdBefore'),
      whose: whoseOf(filter?.roles ?? []),
      named: { part: filter?.search ?? '', label: environmentLabels.name },
      labelled: archived(filter?.archivalStatus),
      labels: { label: environmentLabels.session, values: filter?.sessionIds ?? [] },
    }
    const found = await page(pagination, (asked) =>
      searchEnvironments(database, { ...asked, organizationId }, search),
    )
    const environments = await Promise.all(found.rows.map((row) => shownEnvironment(database, row, call)))
    return {
      pagination: found.pagination,
      environments,
      ...(await counted(count, () => countEnvironments(database, organizationId, search))),
    }
  },

  listEnvironmentClasses: ({ pagination, filter }, context) =>
    listClasses(callOf(context), pagination, filter),

  /** What was claimed is released, which deletes it. */
  async deleteEnvironment({ environmentId, force }, context) {
    const call = callOf(context)
    const { id, claim_id } = await findHeldEnvironment(call.services.database, call, environmentId)
    const body = { force }
    const done = () => ({})
    return claim_id === null
      ? call.perform(deleteEnvironment, { reference: id, body }, DeleteEnvironmentResponseSchema, done)
      : call.perform(releaseClaim, { reference: claim_id, body }, DeleteEnvironmentResponseSchema, done)
  },

  async markEnvironmentActive({ environmentId: reference }, context) {
    const wanted = { reference, body: {} }
    return callOf(context).perform(useEnvironment, wanted, MarkEnvironmentActiveResponseSchema, () => ({}))
  },

  async createEnvironmentLogsToken({ environmentId: reference }, context) {
    const answer = CreateEnvironmentLogsTokenResponseSchema
    return callOf(context).perform(
      createEnvironmentLogToken,
      { reference, body: {} },
      answer,
      ({ token }) => ({ accessToken: token }),
    )
  },

  async createEnvironmentAccessToken({ environmentId: reference }, context) {
    const answer = CreateEnvironmentAccessTokenResponseSchema
    return callOf(context).perform(
      createEnvironmentAccessToken,
      { reference, body: {} },
      answer,
      (accessToken) => ({ accessToken }),
    )
  },
}

/** Whether a filter names only what no environment is here: updating, of a workflow, on a runner of another kind, or locked down. */
function isOfNone(filter: ListEnvironmentsRequest_Filter | undefined): boolean {
  return (
    filter?.lockdownBefore !== undefined ||
    isOnlyOther(filter?.runnerKinds, [RunnerKind.REMOTE]) ||
    isOnlyOther(filter?.roles, [EnvironmentRole.DEFAULT, EnvironmentRole.PREBUILD]) ||
    isOnlyOther(filter?.statusPhases, Object.values(environmentPhases))
  )
}

function requireNewestFirst(sort: ListEnvironmentsRequest_Sort | undefined): void {
  const isById = sort === undefined || sort.field <= SortField.ID
  if (isById && sort?.order !== SortOrder.ASC) return
  throw new HearthError('unprocessable', 'sort: must be by SORT_FIELD_ID, descending: the newest come first')
}

/** Without a word the archived ones are left out. */
function archived(status: ArchivalStatus | undefined): EnvironmentSearch['labelled'] {
  if (status === ArchivalStatus.ALL) return undefined
  return { label: environmentLabels.archivedAt, has: status === ArchivalStatus.ARCHIVED }
}

function whoseOf(roles: readonly EnvironmentRole[]): EnvironmentSearch['whose'] {
  const [users, prebuilds] = [EnvironmentRole.DEFAULT, EnvironmentRole.PREBUILD].map((role) =>
    roles.includes(role),
  )
  if (users === prebuilds) return users === true ? 'both' : 'users'
  return prebuilds === true ? 'prebuilds' : 'users'
}
