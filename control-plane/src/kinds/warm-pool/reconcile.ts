import { assertNever, canonicalJson } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { wake } from '../../reconciling/wake.ts'
import { createEnvironment, desirePhase, lockEnvironment } from '../environment/index.ts'
import { recordEvent } from '../event/index.ts'
import { findProject, type ProjectRow } from '../project/index.ts'
import { decide, type PoolDecision } from './decide.ts'
import { deleteWarmPool, lockWarmPool, observePool, type PoolSight, updateWarmPoolStatus } from './queries.ts'
import { toWarmPool, type WarmPoolRow } from './table.ts'

/** A pool looks again this often though nothing woke it. */
const restMilliseconds = 30_000

export const warmPoolReconciler: Reconciler = {
  kind: 'warm-pool',
  async reconcile(id, { tx, clock }) {
    const pool = await lockWarmPool(tx, id)
    if (pool === undefined) return null
    const now = clock.now()
    const project = await findProject(tx, pool.organization_id, pool.project_id)
    if (project === undefined) throw new Error(`pool ${id} has no project`)
    const sight = await observePool(tx, pool, project, now)
    const decision = decide(sight.seen)
    await carryOut(tx, pool, project, decision, now)
    if (sight.seen.deleting && sight.seen.members.length === 0) {
      await deleteWarmPool(tx, id)
      await recordEvent(tx, 'deleted', toWarmPool(pool))
      await wake(tx, 'project', pool.project_id)
      return null
    }
    await writeStatus(tx, pool, sight, decision)
    const rest = new Date(now.getTime() + restMilliseconds)
    return decision.retryAt !== null && decision.retryAt > now && decision.retryAt < rest
      ? decision.retryAt
      : rest
  },
}

async function carryOut(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  project: ProjectRow,
  decision: PoolDecision,
  now: Date,
): Promise<void> {
  for (const action of decision.actions) {
    switch (action.do) {
      case 'create': {
        const environmentClass = await tx
          .selectFrom('environment_classes')
          .selectAll()
          .where('id', '=', pool.environment_class_id)
          .executeTakeFirstOrThrow()
        const warmPool = { id: pool.id, setup: pool.spec.setup }
        for (let made = 0; made < action.count; made++) {
          await createEnvironment(tx, {
            project,
            environmentClass,
            warmPool,
            claimId: null,
            creator: null,
            now,
          })
        }
        break
      }
      case 'retire': {
        // Read again under lock: a claim that committed first has it.
        const member = await lockEnvironment(tx, action.id)
        if (member !== undefined && member.claim_id === null) await desirePhase(tx, member, 'deleted')
        break
      }
      default:
        assertNever(action)
    }
  }
}

async function writeStatus(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  { claimed }: PoolSight,
  decision: PoolDecision,
): Promise<void> {
  const status = {
    ready: decision.ready,
    provisioning: decision.provisioning,
    failed: decision.failed,
    claimed,
    consecutiveFailures: decision.consecutiveFailures,
    retryAt: decision.retryAt?.toISOString() ?? null,
    failure: decision.failure,
    observedSpecVersion: pool.spec_version,
  }
  if (decision.phase === pool.phase && canonicalJson(status) === canonicalJson(pool.status)) return
  const changed = await updateWarmPoolStatus(tx, pool.id, { phase: decision.phase, status })
  await recordEvent(tx, 'updated', toWarmPool(changed))
}
