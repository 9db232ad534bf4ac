import type { warmPoolUpdateSchema } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { refuseLongLife } from '../../../api/life-cap.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { given } from '../../../resource/change.ts'
import { planBytes, refuseLargePlan } from '../../project/index.ts'
import { updateWarmPool, warmPools } from '../queries.ts'
import { type PoolSpec, poolSpec, type WarmPoolRow } from '../table.ts'
import { askForBranch } from './branch.ts'
import { lockPool, type OnPool, recordChange, refuseWhileDeleting } from './locked-pool.ts'
import { refuseBadSizes } from './sizes.ts'

/**
 * Changes a pool; the row stays as it is when nothing differs. Any change lets a cleared pool fill again, and so does
 * enabling it once more; enabling also forgets failed boots.
 */
export const changeWarmPool: Command<
  OnPool<z.output<typeof warmPoolUpdateSchema>> & {
    /** Where the branch stands in the request, for the sentence that refuses it. */
    branchField?: string
  },
  WarmPoolRow,
  /** What asking for the branch came to; undefined where nobody asked. */
  string | null | undefined
> = {
  async prepare(context, { reference, body, branchField = 'body.spec.branch' }) {
    const branch = body.spec?.branch
    if (branch == null) return undefined
    const project =
      typeof reference === 'string'
        ? (await warmPools.find(context.services.database, context.caller, reference))?.project_id
        : reference.project
    return project === undefined ? undefined : askForBranch(context, project, branch, branchField)
  },
  async run(tx, context, { reference, body }, uncheckedBranch) {
    const row = await lockPool(tx, context, reference)
    refuseWhileDeleting(row)
    const before = poolSpec(row)
    const wanted = given(body.spec)
    const spec: PoolSpec = { ...before, ...wanted }
    const labels = body.labels ?? row.labels
    refuseBadSizes(spec)
    refuseLongLife(wanted.life, context.caller.lifeCap, 'body.spec.life')
    const specDiffers = canonicalJson(spec) !== canonicalJson(before)
    const fillsAgain = row.cleared && (specDiffers || wanted.enabled === true)
    if (!specDiffers && !fillsAgain && canonicalJson(labels) === canonicalJson(row.labels)) return row
    if (wanted.setup !== undefined) await refuseLargeSetup(tx, row.project_id, spec, before)
    const changed = await updateWarmPool(tx, row, {
      labels,
      spec,
      phase: row.phase,
      uncheckedBranch: wanted.branch === null ? null : uncheckedBranch,
      cleared: row.cleared && !fillsAgain,
      freshStart: fillsAgain || (spec.enabled && !before.enabled),
    })
    await recordChange(tx, changed)
    return changed
  },
}

async function refuseLargeSetup(
  tx: DatabaseTransaction,
  projectId: string,
  after: PoolSpec,
  before: PoolSpec,
): Promise<void> {
  const { spec } = await tx
    .selectFrom('projects')
    .select('spec')
    .where('id', '=', projectId)
    .executeTakeFirstOrThrow()
  refuseLargePlan(planBytes(spec, after.setup), planBytes(spec, before.setup))
}
