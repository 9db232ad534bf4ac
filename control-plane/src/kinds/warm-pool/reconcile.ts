import type { QuotaLimits, QuotaShortage, RunnerPhase } from '@hearth/contract'
import { assertNever, canonicalJson } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { type Wake, wake, wakeMany } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { createEnvironments, createOnTrial, type NewEnvironment, placeAtOnce } from '../environment/index.ts'
import { readLimits, takeRoom } from '../quota/index.ts'
import { decide, type ObservedPool, type PoolDecision } from './decide.ts'
import { observePool } from './observe.ts'
import { setConfiguration, warmPools } from './queries.ts'
import { retireAll, retireMember } from './retire.ts'
import { retirementReason } from './retirement.ts'
import { configurationFor, lookAtPool, type PoolSight, toWarmPool } from './show.ts'
import { poolSpec, type WarmPoolRow } from './table.ts'

export const warmPoolReconciler = (quotas: QuotaLimits): Reconciler => ({
  kind: 'warm-pool',
  async reconcile(id, { tx, clock, timings }) {
    const locked = await warmPools.lockById(tx, id)
    if (locked === undefined) return null
    const now = clock.now()
    const sight = await lookAtPool(tx, id)
    const configuration = configurationFor(locked, sight)
    const pool =
      locked.configuration === configuration ? locked : await setConfiguration(tx, locked, configuration)
    const given = { now, bootRetryMilliseconds: timings.bootRetry, configuration }
    const seen = await observePool(tx, pool, sight, given)
    const decision = decide(seen)
    if (seen.deleting) await retireAll(tx, 'tested_pool_id', id, { reason: 'pool_deleted' }, now)
    const { placed, short } = await carryOut(tx, { pool, sight, seen, quotas }, decision, now)
    if (seen.deleting && seen.members.length === 0) {
      await warmPools.remove(tx, id)
      await recordEvent(tx, 'deleted', toWarmPool(pool, null))
      await wake(tx, 'project', pool.project_id)
      return null
    }
    // Machines that were placed have woken the pool, which then tells what has become of it.
    if (!placed)
      await tellChanges(
        tx,
        pool,
        { ...decision, short },
        decision.actions.length === 0 ? sight : await lookAtPool(tx, id),
      )
    const rest = new Date(now.getTime() + (short === null ? timings.poolRest : timings.quotaRest))
    return decision.lookAgainAt !== null && decision.lookAgainAt < rest ? decision.lookAgainAt : rest
  },
})

interface Surroundings {
  pool: WarmPoolRow
  sight: PoolSight
  seen: ObservedPool
  quotas: QuotaLimits
}

interface CarriedOut {
  /** It made machines that have their runners already. */
  placed: boolean
  /** Why it made fewer than it wanted; null when it did not. */
  short: QuotaShortage | null
}

async function carryOut(
  tx: DatabaseTransaction,
  { pool, sight, seen, quotas }: Surroundings,
  { actions }: PoolDecision,
  now: Date,
): Promise<CarriedOut> {
  const done: CarriedOut = { placed: false, short: null }
  const organizationId = pool.organization_id
  const roomFor = async (wanted: number) => {
    const limits = await readLimits(tx, quotas, organizationId)
    return takeRoom(tx, { organizationId, limits }, sight.class_spec, wanted)
  }
  for (const action of actions) {
    switch (action.do) {
      case 'create': {
        const room = await roomFor(action.count)
        done.short = room.short
        if (room.count === 0) break
        const rows = await createEnvironments(tx, newMember(pool, sight, now), room.count)
        done.placed = await placeAtOnce(tx, rows, sight.class_spec, now)
        if (!done.placed) await wakeMany(tx, unplaced(organizationId, rows))
        break
      }
      case 'try runner':
        if ((await roomFor(1)).count > 0) done.placed = await createOnTrial(tx, newMember(pool, sight, now))
        break
      case 'retire': {
        const member = seen.members.find(({ id }) => id === action.id)
        if (member !== undefined) {
          const reasonOn = (runner: RunnerPhase | null) => retirementReason(seen, member, runner)
          await retireMember(tx, { id: member.id, poolId: pool.id }, reasonOn, now)
        }
        break
      }
      default:
        assertNever(action)
    }
  }
  return done
}

function newMember(pool: WarmPoolRow, sight: PoolSight, now: Date): NewEnvironment & { limits: null } {
  const { setup, branch } = poolSpec(pool)
  const { project_id: id, organization_id } = pool
  return {
    project: { id, organization_id, name: sight.project_name, spec: sight.project_spec },
    environmentClass: { id: pool.environment_class_id, spec: sight.class_spec },
    warmPool: { id: pool.id, setup, branch },
    claimId: null,
    creator: null,
    limits: null,
    now,
  }
}

/** Their line, and themselves to watch their deadlines. */
function unplaced(organizationId: string, rows: readonly { id: string }[]): Wake[] {
  return [
    { kind: 'placement', id: organizationId },
    ...rows.map(({ id }): Wake => ({ kind: 'environment', id })),
  ]
}

/** Writes an event when the pool is no longer what the last one told: readers count for themselves, observers do not. */
async function tellChanges(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  decision: PoolDecision & Pick<CarriedOut, 'short'>,
  sight: PoolSight,
): Promise<void> {
  const judged = {
    consecutiveFailures: decision.consecutiveFailures,
    retryAt: decision.retryAt?.toISOString() ?? null,
    failure: decision.failure,
    uncheckedBranch: pool.status.uncheckedBranch ?? null,
    quota: decision.short,
    observedSpecVersion: pool.spec_version,
  }
  const present = toWarmPool({ ...pool, status: { ...pool.status, ...judged } }, sight)
  const { phase, ready, provisioning, failed, claimed } = present.status
  const status = { ready, provisioning, failed, claimed, ...judged }
  if (phase === pool.phase && canonicalJson(status) === canonicalJson(pool.status)) return
  const changed = await warmPools.changeStatus(tx, pool.id, { phase, status })
  await recordEvent(tx, 'updated', toWarmPool(changed, sight))
}
