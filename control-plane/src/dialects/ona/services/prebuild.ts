import type { ServiceImpl } from '@connectrpc/connect'
import {
  cancelPrebuild,
  createLogToken,
  createPrebuild,
  deletePrebuild,
  type PrebuildRow,
  prebuilds,
  searchPrebuilds,
  showPrebuild,
  showPrebuilds,
} from '../../../kinds/prebuild/index.ts'
import {
  CancelPrebuildResponseSchema,
  CreatePrebuildLogsTokenResponseSchema,
  CreatePrebuildResponseSchema,
  DeletePrebuildResponseSchema,
  type PrebuildService,
  PrebuildMetadata_PrebuildTrigger as PrebuildTrigger,
} from '../generated/gitpod/v1/prebuild_pb.ts'
import { nativePrebuildPhases, prebuildPhases } from '../translate/phases.ts'
import { nativeTriggers, toOnaPrebuild } from '../translate/prebuild.ts'
import { type Call, callOf, type Queryable } from '../wire/call.ts'
import { isOnlyOther, page } from '../wire/paging.ts'
import { warmPoolMethods } from './warm-pool.ts'

const shown = async (queryable: Queryable, row: PrebuildRow, { origin }: Call) => ({
  prebuild: toOnaPrebuild(await showPrebuild(queryable, row), origin),
})

export const prebuildService: ServiceImpl<typeof PrebuildService> = {
  ...warmPoolMethods,

  async createPrebuild({ projectId, environmentClassId, spec }, context) {
    const call = callOf(context)
    const seconds = spec?.timeout?.seconds
    const wanted = {
      labels: {},
      spec: {
        projectId,
        branch: null,
        ...(environmentClassId ? { environmentClassId } : {}),
        ...(seconds === undefined ? {} : { timeoutSeconds: Number(seconds) }),
      },
    }
    return call.perform(createPrebuild, wanted, CreatePrebuildResponseSchema, (row, tx) =>
      shown(tx, row, call),
    )
  },

  async getPrebuild({ prebuildId }, context) {
    const call = callOf(context)
    const { database } = call.services
    return shown(database, await prebuilds.get(database, call.caller, prebuildId), call)
  },

  async listPrebuilds({ pagination, filter }, context) {
    const { caller, services, origin } = callOf(context)
    const { database } = services
    const { organizationId } = caller
    const isOfNone =
      isOnlyOther(filter?.phases, Object.values(prebuildPhases)) ||
      isOnlyOther(filter?.triggeredBy, [PrebuildTrigger.MANUAL, PrebuildTrigger.SCHEDULED])
    if (isOfNone) return { pagination: {}, prebuilds: [] }
    const search = {
      projectIds: filter?.projectIds,
      phases: nativePrebuildPhases(filter?.phases ?? []),
      triggers: nativeTriggers(filter?.triggeredBy ?? []),
      creatorIds: filter?.creatorIds,
      executorIds: filter?.executorIds,
    }
    const found = await page(pagination, (asked) =>
      searchPrebuilds(database, { ...asked, organizationId }, search),
    )
    const items = await showPrebuilds(database, found.rows)
    return { pagination: found.pagination, prebuilds: items.map((item) => toOnaPrebuild(item, origin)) }
  },

  async cancelPrebuild({ prebuildId: reference }, context) {
    const call = callOf(context)
    return call.perform(cancelPrebuild, { reference, body: {} }, CancelPrebuildResponseSchema, (row, tx) =>
      shown(tx, row, call),
    )
  },

  async deletePrebuild({ prebuildId: reference }, context) {
    const wanted = { reference, body: { force: false } }
    return callOf(context).perform(deletePrebuild, wanted, DeletePrebuildResponseSchema, () => ({}))
  },

  async createPrebuildLogsToken({ prebuildId: reference }, context) {
    const wanted = { reference, body: {} }
    return callOf(context).perform(
      createLogToken,
      wanted,
      CreatePrebuildLogsTokenResponseSchema,
      ({ token }) => ({
        accessToken: token,
      }),
    )
  },
}
