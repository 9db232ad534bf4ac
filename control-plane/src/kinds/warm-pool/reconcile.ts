import type { PoolScaling, QuotaLimits, QuotaShortage, WarmPool } from '@hearth/contract'
import { assertNever, canonicalJson } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { type Wake, wake, wakeMany } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import {
  buildPlan,
  createEnvironments,
  type EnvironmentRow,
  lockPlacement,
  type NewEnvironment,
  placeAtOnce,
  prebuiltStart,
} from '../environment/index.ts'
import { readLimits, takeRoom } from '../quota/index.ts'
import { decide, type PoolAction, type PoolDecision } from './decide.ts'
import { lockMembers, moveMember, wakeMembers } from './move-member.ts'
import { setConfiguration, storeScaling, warmPools } from './queries.ts'
import { lookAtPool, type PoolLook, type SeenMember } from './reconcile-queries.ts'
import { bootsAllowed } from './refill.ts'
import { lookAtRefill } from './refill-queries.ts'
import { retireAll, retireMember } from './retire.ts'
import type { PoolSize } from './scale/pool-size.ts'
import type { Surroundings } from './surroundings.ts'
import { noFacts, type PoolFacts, poolSpec, toWarmPool, type WarmPoolRow } from './table.ts'
import { createOnTrial } from './trial.ts'

export const warmPoolReconciler = (quotas: QuotaLimits): Reconciler => ({
  kind: 'warm-pool',
  async reconcile(id, { tx, clock, timings }) {
    const locked = await warmPools.lockById(tx, id)
    if (locked === undefined) return null
    const now = clock.now()
    const look = await lookAtPool(tx, locked, { now, bootRetryMilliseconds: timings.bootRetry })
    const { seen, facts } = look
    const decision = decide(seen)
    const pool =
      locked.configuration === facts.configuration
        ? locked
        : await setConfiguration(tx, locked, facts.configuration)
    if (seen.deleting) await retireAll(tx, { kind: 'warm-pool-test', id }, { reason: 'pool_deleted' }, now)
    await storeScaling(tx, pool, look.size.stored)
    const done = await carryOut(tx, { pool, look, quotas }, decision, now)
    if (seen.deleting && seen.members.length === 0) {
      await warmPools.remove(tx, id)
      await recordEvent(tx, 'deleted', toWarmPool(pool, noFacts))
      await wake(tx, 'project', pool.project_id)
      return null
    }
    // Placed environments have woken the pool, whose next reconcile writes its new status.
    if (!done.placed) {
      const { size, resumable } = look
      const judged = { ...decision, short: done.short, lack: done.lack, resumable }
      const sized = { desiredSize: size.size, scaling: scalingAfter(pool, size) }
      await tellChanges(tx, pool, { ...judged, ...sized }, factsAfter(facts, done))
    }
    const rest = new Date(
      now.getTime() +
        (done.short === null && done.lack === null && done.held === 0 ? timings.poolRest : timings.quotaRest),
    )
    const times = [rest, decision.lookAgainAt, look.size.lookAgainAt].flatMap((time) => time ?? [])
    return new Date(Math.min(...times.map((time) => time.getTime())))
  },
})

interface CarriedOut {
  /** How many environments it created that wait for a runner. */
  waiting: number
  /** The members that go. */
  retired: SeenMember[]
  /** Whether it created environments that are placed already. */
  placed: boolean
  /** Why it created fewer than it wanted; null when it created all. */
  short: QuotaShortage | null
  /** How many it will create only when boots have ended. */
  held: number
  /** What a runner lacks to run members at rest that should run; null where they do. */
  lack: string | null
}

async function carryOut(
  tx: DatabaseTransaction,
  { pool, look, quotas }: { pool: WarmPoolRow; look: PoolLook; quotas: QuotaLimits },
  { actions }: PoolDecision,
  now: Date,
): Promise<CarriedOut> {
  const { surroundings, seen } = look
  const done: CarriedOut = { waiting: 0, retired: [], placed: false, short: null, held: 0, lack: null }
  const organizationId = pool.organization_id
  const limits = () => readLimits(tx, quotas, organizationId)
  const roomFor = async (wanted: number) =>
    takeRoom(tx, { organizationId, limits: await limits() }, surroundings.class_spec, wanted)
  await lockMembers(tx, actions.flatMap(membersMoved))
  // Before a quota is locked, as by a claim of a member at rest.
  if (actions.some((action) => action.do === 'wake')) await lockPlacement(tx, organizationId)
  for (const action of actions) {
    switch (action.do) {
      case 'create': {
        const allowed = Math.min(action.count, bootsAllowed(await lookAtRefill(tx, pool, surroundings)))
        done.held = action.count - allowed
        if (allowed === 0) break
        const room = await roomFor(allowed)
        done.short = room.short
        if (room.count === 0) break
        const member = { ...newMember(pool, surroundings, now), ...(await startOf(tx, pool, surroundings)) }
        const rows = await createEnvironments(tx, member, room.count)
        done.placed = await placeAtOnce(tx, rows, surroundings.class_spec, now)
        if (done.placed) break
        done.waiting = rows.length
        await wakeMany(tx, unplaced(organizationId, rows))
        break
      }
      case 'try runner':
        if ((await roomFor(1)).count > 0)
          done.placed = await createOnTrial(tx, newMember(pool, surroundings, now))
        break
      case 'retire': {
        const isGoing = await retireMember(tx, { id: action.id, poolId: pool.id }, action.reason, now)
        if (isGoing) done.retired.push(...seen.members.filter(({ id }) => id === action.id))
        break
      }
      case 'rest':
        await moveMember(tx, { id: action.id, poolId: pool.id }, action.phase, limits)
        break
      case 'wake':
        done.lack = (await wakeMembers(tx, pool.id, action, { now, readLimits: limits })) ?? done.lack
        break
      default:
        assertNever(action)
    }
  }
  return done
}

function membersMoved(action: PoolAction): readonly string[] {
  if (action.do === 'wake') return action.among
  return action.do === 'rest' ? [action.id] : []
}

/** The numbers behind the size change only with it: each change is an event. */
function scalingAfter({ status }: WarmPoolRow, { size, scaling }: PoolSize): PoolScaling | null {
  const before = status.scaling ?? null
  return scaling !== null && before !== null && size === status.desiredSize ? before : scaling
}

function newMember(
  pool: WarmPoolRow,
  surroundings: Surroundings,
  now: Date,
): NewEnvironment & { limits: null } {
  const { setup, branch } = poolSpec(pool)
  const { project_id: id, organization_id } = pool
  return {
    project: { id, organization_id, name: surroundings.project_name, spec: surroundings.project_spec },
    environmentClass: { id: pool.environment_class_id, spec: surroundings.class_spec },
    owner: { kind: 'warm-pool', id: pool.id, setup, branch },
    claimId: null,
    creator: null,
    limits: null,
    now,
  }
}

/** A prebuild where one fits. A degraded runner is tried with the image, which cannot be at fault. */
function startOf(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  { project_spec: spec, class_spec }: Pick<Surroundings, 'project_spec' | 'class_spec'>,
) {
  const owned = poolSpec(pool)
  return prebuiltStart(tx, {
    project: { id: pool.project_id, spec },
    environmentClassId: pool.environment_class_id,
    plan: buildPlan(spec, class_spec, owned),
    branch: owned.branch,
  })
}

/** Their line, and themselves to watch their deadlines. */
function unplaced(organizationId: string, rows: readonly Pick<EnvironmentRow, 'id' | 'deadline'>[]): Wake[] {
  return [
    { kind: 'placement', id: organizationId },
    ...rows.flatMap(({ id, deadline }): Wake[] =>
      deadline === null ? [] : [{ kind: 'environment', id, at: deadline }],
    ),
  ]
}

/** The counts that were read, updated by what has been done since. */
function factsAfter(facts: PoolFacts, { waiting, retired }: CarriedOut): PoolFacts {
  const gone = (state: SeenMember['state']) => retired.filter((member) => member.state === state)
  return {
    ...facts,
    ready: facts.ready - gone('ready').length,
    readyAndCurrent: facts.readyAndCurrent - gone('ready').filter(({ current }) => current).length,
    provisioning: facts.provisioning + waiting - gone('provisioning').length,
    failed: facts.failed - gone('failed').length,
  }
}

/**
 * Writes an event when the pool differs from its last event: HTTP reads count the members anew, but observers get
 * events only.
 */
async function tellChanges(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  decision: PoolDecision &
    Pick<CarriedOut, 'short' | 'lack'> &
    Pick<WarmPool['status'], 'desiredSize' | 'scaling' | 'resumable'>,
  facts: PoolFacts,
): Promise<void> {
  const judged = {
    consecutiveFailures: decision.consecutiveFailures,
    retryAt: decision.retryAt?.toISOString() ?? null,
    failure: decision.failure,
    uncheckedBranch: pool.status.uncheckedBranch ?? null,
    quota: decision.short,
    lack: decision.lack,
    desiredSize: decision.desiredSize,
    scaling: decision.scaling,
    resumable: decision.resumable,
    restsAgainAt: decision.restsAgainAt?.toISOString() ?? null,
    observedSpecVersion: pool.spec_version,
  }
  const present = toWarmPool({ ...pool, status: { ...pool.status, ...judged } }, facts)
  const { phase, ready, provisioning, failed, claimed, suspended, stopped } = present.status
  const status = { ready, provisioning, failed, claimed, suspended, stopped, ...judged }
  if (phase === pool.phase && canonicalJson(status) === canonicalJson(pool.status)) return
  const changed = await warmPools.changeStatus(tx, pool.id, { phase, status })
  await recordEvent(tx, 'updated', toWarmPool(changed, facts))
}
