import { timestampDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { publicKeySchema } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import { releaseClaim, takeMachine } from '../../../kinds/claim/index.ts'
import {
  changeEnvironment,
  createEnvironmentLogToken,
  deleteEnvironment,
  type EnvironmentSearch,
  type HeldEnvironment,
  type PlannedEnvironmentRow,
  searchEnvironments,
  toEnvironment,
  useEnvironment,
  withPlan,
} from '../../../kinds/environment/index.ts'
import {
  ListEnvironmentsRequest_ArchivalStatus as ArchivalStatus,
  CreateEnvironmentFromProjectResponseSchema,
  CreateEnvironmentLogsTokenResponseSchema,
  DeleteEnvironmentResponseSchema,
  type EnvironmentService,
  MarkEnvironmentActiveResponseSchema,
  StartEnvironmentResponseSchema,
  StopEnvironmentResponseSchema,
} from '../generated/gitpod/v1/environment_pb.ts'
import { EnvironmentRole } from '../generated/gitpod/v1/environment_resource_pb.ts'
import type { EnvironmentSpec } from '../generated/gitpod/v1/environment_spec_pb.ts'
import { toOnaEnvironment } from '../translate/environment.ts'
import { nativeEnvironmentPhases } from '../translate/environment-phases.ts'
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { page } from '../wire/paging.ts'
import { listClasses } from './environment-class.ts'

type Held = HeldEnvironment | (HeldEnvironment & PlannedEnvironmentRow)

async function shown(queryable: Queryable, row: Held, { origin }: Call) {
  const environment = toEnvironment('spec' in row ? row : await withPlan(queryable, row))
  return toOnaEnvironment({ environment, heldBy: row.held_by }, origin)
}

async function find(
  queryable: Queryable,
  { caller: { organizationId } }: Call,
  id: string,
): Promise<HeldEnvironment> {
  const [row] = await searchEnvironments(queryable, { organizationId, limit: 1 }, { ids: [id], whose: 'all' })
  if (row === undefined) throw new HearthError('not_found', `there is no environment ${id}`)
  return row
}

type Methods =
  | 'createEnvironmentFromProject'
  | 'getEnvironment'
  | 'listEnvironments'
  | 'listEnvironmentClasses'
  | 'startEnvironment'
  | 'stopEnvironment'
  | 'deleteEnvironment'
  | 'markEnvironmentActive'
  | 'createEnvironmentLogsToken'

export const environmentService: Pick<ServiceImpl<typeof EnvironmentService>, Methods> = {
  async createEnvironmentFromProject({ projectId, spec }, context) {
    const call = callOf(context)
    const wanted = {
      projectId,
      environmentClassId: spec?.machine?.class || null,
      labels: {},
      publicKey: publicKeyOf(spec),
    }
    return call.perform(
      takeMachine,
      wanted,
      CreateEnvironmentFromProjectResponseSchema,
      async ({ row }, tx) => ({
        environment: await shown(tx, { ...row, held_by: call.caller.principalId }, call),
      }),
    )
  },

  async getEnvironment({ environmentId }, context) {
    const call = callOf(context)
    const { database } = call.services
    return { environment: await shown(database, await find(database, call, environmentId), call) }
  },

  async listEnvironments({ pagination, filter }, context) {
    const call = callOf(context)
    const { database } = call.services
    const { organizationId } = call.caller
    const before = filter?.createdBefore
    const search: EnvironmentSearch = {
      projectIds: filter?.projectIds,
      runnerIds: filter?.runnerIds,
      phases: nativeEnvironmentPhases(filter?.statusPhases ?? []),
      creatorIds: filter?.creatorIds,
      createdBefore: before === undefined ? undefined : timestampDate(before),
      whose: whoseOf(filter?.roles ?? []),
      named: filter?.search,
    }
    // Nothing is archived here, and nothing is of a session of Ona's.
    if (filter?.archivalStatus === ArchivalStatus.ARCHIVED || filter?.sessionIds.length)
      return { pagination: {}, environments: [] }
    const found = await page(pagination, (asked) =>
      searchEnvironments(database, { ...asked, organizationId }, search),
    )
    const environments = await Promise.all(found.rows.map((row) => shown(database, row, call)))
    return { pagination: found.pagination, environments }
  },

  listEnvironmentClasses: ({ pagination, filter }, context) =>
    listClasses(callOf(context), pagination, filter),

  async startEnvironment({ environmentId: reference }, context) {
    const wanted = { reference, body: { spec: { desiredPhase: 'running' as const } } }
    return callOf(context).perform(changeEnvironment, wanted, StartEnvironmentResponseSchema, () => ({}))
  },

  async stopEnvironment({ environmentId: reference }, context) {
    const wanted = { reference, body: { spec: { desiredPhase: 'stopped' as const } } }
    return callOf(context).perform(changeEnvironment, wanted, StopEnvironmentResponseSchema, () => ({}))
  },

  /** What was claimed is released, which deletes it. */
  async deleteEnvironment({ environmentId, force }, context) {
    const call = callOf(context)
    const { id, claim_id } = await find(call.services.database, call, environmentId)
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
}

/** The first key is the claimant's; others get in with a certificate of their own. */
function publicKeyOf(spec: EnvironmentSpec | undefined): string | null {
  const given = spec?.sshPublicKeys[0]?.value ?? ''
  if (given === '') return null
  const parsed = publicKeySchema.safeParse(given)
  if (parsed.success) return parsed.data
  throw invalidValue({
    field: 'spec.sshPublicKeys[0].value',
    given: 'another text',
    expected: 'an OpenSSH public key, as in the .pub file',
  })
}

function whoseOf(roles: readonly EnvironmentRole[]): EnvironmentSearch['whose'] {
  const [users, prebuilds] = [EnvironmentRole.DEFAULT, EnvironmentRole.PREBUILD].map((role) =>
    roles.includes(role),
  )
  if (users === prebuilds) return users === true ? 'both' : 'users'
  return prebuilds === true ? 'prebuilds' : 'users'
}
