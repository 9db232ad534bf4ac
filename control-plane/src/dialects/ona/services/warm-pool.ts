import type { ServiceImpl } from '@connectrpc/connect'
import { warmPoolCreateSchema } from '@hearth/contract'
import { newestSnapshots, pairOf } from '../../../kinds/prebuild/index.ts'
import {
  changeWarmPool,
  createWarmPool,
  deleteWarmPool,
  showWarmPools,
  type WarmPoolRow,
  warmPools,
} from '../../../kinds/warm-pool/index.ts'
import {
  CreateWarmPoolResponseSchema,
  DeleteWarmPoolResponseSchema,
  type PrebuildService,
  UpdateWarmPoolResponseSchema,
} from '../generated/gitpod/v1/prebuild_pb.ts'
import { changedSizes, newSizes, toOnaWarmPool } from '../translate/warm-pool.ts'
import { callOf, type Queryable } from '../wire/call.ts'
import { page, someOf } from '../wire/paging.ts'

async function showAll(queryable: Queryable, rows: readonly WarmPoolRow[]) {
  const snapshots = await newestSnapshots(
    queryable,
    rows.map(({ project_id }) => project_id),
  )
  const pools = await showWarmPools(queryable, rows)
  return pools.map((pool) =>
    toOnaWarmPool(pool, snapshots.get(pairOf(pool.spec.projectId, pool.spec.environmentClassId))),
  )
}

async function shown(queryable: Queryable, row: WarmPoolRow) {
  const [warmPool] = await showAll(queryable, [row])
  return { ...(warmPool === undefined ? {} : { warmPool }) }
}

type Methods = 'createWarmPool' | 'getWarmPool' | 'listWarmPools' | 'updateWarmPool' | 'deleteWarmPool'

/** Of the prebuild service; a pool of Hearth is one of Ona's, with the same bounds on its size. */
export const warmPoolMethods: Pick<ServiceImpl<typeof PrebuildService>, Methods> = {
  async createWarmPool({ projectId, environmentClassId, ...sizes }, context) {
    const spec = { projectId, environmentClassId, ...newSizes(sizes) }
    const wanted = { ...warmPoolCreateSchema.parse({ spec }), ofPrebuilds: true }
    return callOf(context).perform(createWarmPool, wanted, CreateWarmPoolResponseSchema, (row, tx) =>
      shown(tx, row),
    )
  },

  async getWarmPool({ warmPoolId }, context) {
    const { caller, services } = callOf(context)
    return shown(services.database, await warmPools.get(services.database, caller, warmPoolId))
  },

  async listWarmPools({ pagination, filter }, context) {
    const { caller, services } = callOf(context)
    const having = {
      project_id: someOf(filter?.projectIds),
      environment_class_id: someOf(filter?.environmentClassIds),
    }
    const { organizationId } = caller
    const found = await page(pagination, (asked) =>
      warmPools.list(services.database, { ...asked, organizationId }, having),
    )
    return { pagination: found.pagination, warmPools: await showAll(services.database, found.rows) }
  },

  async updateWarmPool({ warmPoolId: reference, ...sizes }, context) {
    const wanted = { reference, body: { spec: changedSizes(sizes) } }
    return callOf(context).perform(changeWarmPool, wanted, UpdateWarmPoolResponseSchema, (row, tx) =>
      shown(tx, row),
    )
  },

  async deleteWarmPool({ warmPoolId: reference }, context) {
    const wanted = { reference, body: { force: false } }
    return callOf(context).perform(deleteWarmPool, wanted, DeleteWarmPoolResponseSchema, () => ({}))
  },
}
