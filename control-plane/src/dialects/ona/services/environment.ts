import type { ServiceImpl } from '@connectrpc/connect'
import { releaseClaim } from '../../../kinds/claim/index.ts'
import {
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
  MarkEnvironmentActiveResponseSchema,
} from '../generated/gitpod/v1/environment_pb.ts'
import { EnvironmentRole } from '../generated/gitpod/v1/environment_resource_pb.ts'
import { environmentLabels } from '../translate/environment-labels.ts'
import { nativeEnvironmentPhases } from '../translate/environment-phases.ts'
import { timeOf } from '../translate/values.ts'
import { callOf } from '../wire/call.ts'
import { page } from '../wire/paging.ts'
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

  async listEnvironments({ pagination, filter }, context) {
    const call = callOf(context)
    const { database } = call.services
    const { organizationId } = call.caller
    const search: EnvironmentSearch = {
      projectIds: filter?.projectIds,
      runnerIds: filter?.runnerIds,
      phases: nativeEnvironmentPhases(filter?.statusPhases ?? []),
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
    return { pagination: found.pagination, environments }
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
