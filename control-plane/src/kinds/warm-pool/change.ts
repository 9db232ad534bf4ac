import type { QuotaLimits } from '@hearth/contract'
import { canonicalJson, HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wake } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { type ProjectRow, planBytes, refuseLargePlan } from '../project/index.ts'
import { requireResource } from '../quota/index.ts'
import { updateWarmPool, warmPools } from './queries.ts'
import { retireAll } from './retire.ts'
import { showWarmPool } from './show.ts'
import { emptyPoolStatus, type PoolSpec, poolSpec, type WarmPoolRow } from './table.ts'

export async function createWarmPool(
  tx: DatabaseTransaction,
  created: {
    project: ProjectRow
    environmentClass: { id: string; name: string }
    creator: string
    limits: QuotaLimits
    labels: Record<string, string>
    spec: PoolSpec
    uncheckedBranch?: string | null
  },
): Promise<WarmPoolRow> {
  const { project, environmentClass } = created
  if (project.phase === 'deleting')
    throw new HearthError('conflict', `project ${project.name} is being deleted`)
  refuseLargePlan(planBytes(project.spec, created.spec.setup), 0)
  await requireResource(tx, project.organization_id, created.limits, 'warmPools')
  const row = await warmPools.insert(
    tx,
    {
      ...created,
      organizationId: project.organization_id,
      name: `${project.name}-${environmentClass.name}`,
    },
    {
      status: { ...emptyPoolStatus, uncheckedBranch: created.uncheckedBranch ?? null },
      project_id: project.id,
      environment_class_id: environmentClass.id,
      phase: created.spec.enabled ? 'filling' : 'disabled',
    },
    `project ${project.name} has a pool of class ${environmentClass.name} already`,
  )
  await recordEvent(tx, 'created', await showWarmPool(tx, row))
  await wake(tx, 'warm-pool', row.id)
  return row
}

/**
 * Writes what differs; null when nothing does. A pool that was cleared fills again when anything of it changes, and
 * when it is enabled once more; one that is enabled forgets the boots that had failed. The row must have been read
 * under lock.
 */
export async function changeWarmPool(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  change: {
    labels?: Record<string, string> | undefined
    spec: { [Key in keyof PoolSpec]?: PoolSpec[Key] | undefined }
    /** What asking for the branch came to; not given where nobody asked. */
    uncheckedBranch?: string | null | undefined
  },
): Promise<WarmPoolRow | null> {
  refuseWhileDeleting(row)
  const before = poolSpec(row)
  const given = Object.fromEntries(Object.entries(change.spec).filter(([, value]) => value !== undefined))
  const spec: PoolSpec = { ...before, ...given }
  const labels = change.labels ?? row.labels
  const specDiffers = canonicalJson(spec) !== canonicalJson(before)
  const fillsAgain = row.cleared && (specDiffers || change.spec.enabled === true)
  if (!specDiffers && !fillsAgain && canonicalJson(labels) === canonicalJson(row.labels)) return null
  if (change.spec.setup !== undefined) await refuseLargeSetup(tx, row.project_id, spec, before)
  const changed = await updateWarmPool(tx, row, {
    labels,
    spec,
    phase: row.phase,
    uncheckedBranch: change.spec.branch === null ? null : change.uncheckedBranch,
    cleared: row.cleared && !fillsAgain,
    freshStart: fillsAgain || (spec.enabled && !before.enabled),
  })
  await tell(tx, changed)
  return changed
}

/**
 * Removes every unclaimed member. With `replenish` the pool then fills anew, and forgets the boots that had failed;
 * without, it stays empty. The row must have been read under lock.
 */
export async function clearWarmPool(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  wanted: { replenish: boolean; principalId: string; now: Date },
): Promise<WarmPoolRow> {
  refuseWhileDeleting(row)
  const { replenish, principalId, now } = wanted
  const owner = { kind: 'warm-pool' as const, id: row.id }
  await retireAll(tx, owner, { reason: 'pool_cleared', principalId }, now)
  const { labels, phase } = row
  const spec = poolSpec(row)
  const changed = await updateWarmPool(tx, row, {
    labels,
    spec,
    phase,
    cleared: !replenish,
    freshStart: true,
  })
  await tell(tx, changed)
  return changed
}

/** Deletes the pool with its unclaimed members and its tests; claimed environments stay with their claims. */
export async function removeWarmPool(tx: DatabaseTransaction, row: WarmPoolRow): Promise<WarmPoolRow> {
  await wake(tx, 'warm-pool', row.id)
  if (row.phase === 'deleting') return row
  const going = await updateWarmPool(tx, row, { ...row, phase: 'deleting' })
  await tell(tx, going)
  return going
}

export function refuseWhileDeleting(row: WarmPoolRow): void {
  if (row.phase === 'deleting') throw new HearthError('conflict', `pool ${row.name} is being deleted`)
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

async function tell(tx: DatabaseTransaction, row: WarmPoolRow): Promise<void> {
  await recordEvent(tx, 'updated', await showWarmPool(tx, row))
  await wake(tx, 'warm-pool', row.id)
}
