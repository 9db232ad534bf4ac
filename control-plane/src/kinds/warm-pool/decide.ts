import {
  bootAttempts,
  type DeletionReason,
  type DesiredPhase,
  type EnvironmentPhase,
  type Failure,
} from '@hearth/contract'
import { assertNever, backoff } from '@hearth/foundation'

/** A member of the pool: unclaimed and not being deleted. */
export interface Member {
  id: string
  /** null while it waits for one. */
  runnerId: string | null
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  /** Whether it runs on because its host could not suspend it. */
  notRested: boolean
  /** Whether it was made from the pool's present configuration. */
  current: boolean
  /** What has become of its runner where that is silent or gives its machines up; null otherwise. */
  abandoned: 'runner_lost' | 'runner_drained' | 'runner_removed' | null
  /** Whether its guest is paused, so that no claim gets it. */
  paused: boolean
  /** Its runner is degraded: whether it comes up decides whether the runner is used again. */
  onTrial: boolean
  createdAt: Date
  readyAt: Date | null
  failedAt: Date | null
}

export interface SeenBoots {
  /** Results of the present configuration's boots, newest first, without failures that the set-up did not cause. */
  recentBoots: readonly { failed: boolean; at: Date; failure: Failure | null }[]
  /** Pause after the first failure; each further one doubles it. */
  bootRetryMilliseconds: number
  now: Date
}

export interface SeenPool extends SeenBoots {
  enabled: boolean
  /** Whether the pool was cleared and is to stay empty. */
  cleared: boolean
  deleting: boolean
  /** How many members it wants. */
  size: number
  /** How many of them run; null for all. */
  running: number | null
  rest: RestingPhase
  /** Until when members that need not run are left running, since a host could not suspend one; null for none such. */
  restsAgainAt: Date | null
  maxAgeMinutes: number | null
  members: readonly Member[]
  /** Whether a degraded runner waits for an environment to be tried on it. */
  trialDue: boolean
}

export type RestingPhase = 'suspended' | 'stopped'

export type PoolAction =
  | { do: 'create'; count: number }
  | { do: 'retire'; id: string; reason: DeletionReason }
  /** Suspends or stops a member that is ready and need not run. */
  | { do: 'rest'; id: string; phase: RestingPhase }
  /** Lets so many of these members run again, the first that their hosts have room for. */
  | { do: 'wake'; count: number; among: readonly string[] }
  /** Makes one environment beyond the pool's size, if a degraded runner takes it. */
  | { do: 'try runner' }

export interface PoolDecision {
  actions: PoolAction[]
  consecutiveFailures: number
  retryAt: Date | null
  failure: Failure | null
  /** As it was seen, or anew where a host could not suspend a member. */
  restsAgainAt: Date | null
  /** When the pool must be reconciled next without an event; null when it need not. */
  lookAgainAt: Date | null
}

/** How long the newest failed environment is kept, so that someone can inspect it. */
const keepFailedMilliseconds = 30 * 60_000

/**
 * Decides which members a pool adds and removes. Members that are due for replacement, because the configuration
 * changed or because of their age, stay claimable until newer ones replace them, one at a time and the oldest first.
 * Members with a paused guest are replaced first of all, unless the guest is resumed before. A configuration whose
 * boots keep failing is given up until it changes. A full pool makes one extra environment to try a degraded runner:
 * otherwise the runner would stay degraded for as long as no pool needs another member.
 */
export function decide(seen: SeenPool): PoolDecision {
  const target = isWanted(seen) ? seen.size : 0
  const boots = judgeBoots(seen)
  const { fresh, resting, due, booting, discarded } = sortMembers(seen)
  const kept = [...fresh, ...resting].slice(0, target)
  const dueKept = Math.min(due.length, target - kept.length)
  // One more than the size while a member is replaced, so that its replacement is ready before it goes.
  const bootsWanted = target + (dueKept > 0 ? 1 : 0) - kept.length - dueKept
  const retired = [
    ...discarded,
    ...booting.slice(bootsWanted).filter(({ onTrial }) => !onTrial || target === 0),
    ...due.slice(0, due.length - dueKept),
    ...[...fresh, ...resting].slice(target),
  ]
  const waiting = boots.stopped || (boots.retryAt !== null && boots.retryAt > seen.now)
  const count = waiting ? 0 : Math.max(0, bootsWanted - booting.length)
  const created: PoolAction[] = count > 0 ? [{ do: 'create', count }] : []
  const maySpare = target > 0 && bootsWanted === 0 && booting.length === 0 && !waiting
  // A trial is never the failure that stops a pool.
  const tries = seen.trialDue && maySpare && boots.consecutive + 1 < bootAttempts
  const tried: PoolAction[] = tries ? [{ do: 'try runner' }] : []
  return {
    actions: [
      ...retired.map((member) => retire(seen, member)),
      ...created,
      ...decideTiers(seen, target, { kept, booting }),
      ...tried,
    ],
    consecutiveFailures: boots.consecutive,
    retryAt: boots.stopped ? null : boots.retryAt,
    failure: boots.failure,
    restsAgainAt: restsAgainAfter(seen, kept),
    lookAgainAt: nextTime(seen, boots, kept),
  }
}

const isWanted = ({ enabled, cleared, deleting }: SeenPool) => enabled && !cleared && !deleting

function retire(seen: SeenPool, member: Member): PoolAction {
  return { do: 'retire', id: member.id, reason: reasonToRetire(seen, member) }
}

/** Which members run: those that are wanted are woken at once, and what runs beyond them is put to rest. */
function decideTiers(
  seen: SeenPool,
  target: number,
  { kept, booting }: Record<'kept' | 'booting', readonly Member[]>,
): PoolAction[] {
  const wake = (count: number, members: readonly Member[]): PoolAction[] =>
    count === 0 || members.length === 0 ? [] : [{ do: 'wake', count, among: members.map(({ id }) => id) }]
  const stuck = kept.filter(({ notRested }) => notRested)
  const running = Math.min(seen.running ?? target, target)
  const up = kept.filter((member) => isUp(member) && !member.notRested)
  const down = kept.filter(({ desiredPhase, phase }) => desiredPhase !== 'running' && desiredPhase === phase)
  // A start takes far less than the boot of a new one.
  const waking = booting.filter(({ readyAt }) => readyAt !== null)
  const lacking = Math.max(0, running - up.length - waking.length - stuck.length)
  const restsLater = seen.restsAgainAt !== null && seen.restsAgainAt > seen.now
  const spare = restsLater ? [] : up.slice(running).filter(({ phase }) => phase === 'running')
  return [
    ...wake(stuck.length, stuck),
    ...wake(Math.min(lacking, down.length), mostOfEachRunner(down, lacking)),
    ...spare.map(({ id }): PoolAction => ({ do: 'rest', id, phase: seen.rest })),
  ]
}

/** Any of these may turn out to be on a runner without room for it. */
function mostOfEachRunner(members: readonly Member[], most: number): Member[] {
  const counts = new Map<string | null, number>()
  return members.filter(({ runnerId }) => {
    const count = (counts.get(runnerId) ?? 0) + 1
    counts.set(runnerId, count)
    return count <= most
  })
}

/** A host that could not suspend a member is left alone for so long. */
const restsAgainMilliseconds = 600_000

function restsAgainAfter({ restsAgainAt, now }: SeenPool, kept: readonly Member[]): Date | null {
  if (kept.some(({ notRested }) => notRested)) return new Date(now.getTime() + restsAgainMilliseconds)
  return restsAgainAt !== null && restsAgainAt > now ? restsAgainAt : null
}

/** It runs, and shall. */
const isUp = ({ desiredPhase }: Member) => desiredPhase === 'running'

/** Why the pool removes a member, for the member's record. */
function reasonToRetire(seen: SeenPool, member: Member): DeletionReason {
  if (seen.deleting) return 'pool_deleted'
  if (!seen.enabled) return 'pool_disabled'
  if (seen.cleared) return 'pool_cleared'
  if (member.phase === 'failed') return 'failed'
  if (member.abandoned !== null) return member.abandoned
  if (notRunning.has(member.phase)) return 'not_running'
  if (!member.current) return 'older_configuration'
  return isTooOld(member, seen) ? 'too_old' : 'pool_surplus'
}

/** Somebody stopped or suspended it. */
const notRunning: ReadonlySet<EnvironmentPhase> = new Set(['stopping', 'stopped', 'suspending', 'suspended'])

interface SortedMembers {
  /** Ready and current; the first to be removed when there are too many are last. */
  fresh: Member[]
  /** Current, and at rest or on the way there; the first to be removed when there are too many are last. */
  resting: Member[]
  /** Ready and to be replaced; the first to be replaced are first. */
  due: Member[]
  /** Provisioning and current; the first to be removed when there are too many are last. */
  booting: Member[]
  /** Unusable: removed at once. */
  discarded: Member[]
}

function sortMembers(seen: SeenPool): SortedMembers {
  const sorted: SortedMembers = { fresh: [], resting: [], due: [], booting: [], discarded: [] }
  for (const member of seen.members) {
    switch (member.phase) {
      case 'pending':
      case 'provisioning':
      case 'starting':
      case 'resuming':
        if (member.abandoned !== null || !member.current) sorted.discarded.push(member)
        else sorted.booting.push(member)
        break
      case 'running':
        if (member.abandoned !== null) sorted.discarded.push(member)
        else if (member.paused || !member.current || isTooOld(member, seen)) sorted.due.push(member)
        else if (member.desiredPhase === 'running' || member.notRested) sorted.fresh.push(member)
        else sorted.resting.push(member)
        break
      case 'failed':
        if (!isKeptToLookInto(member, seen)) sorted.discarded.push(member)
        break
      case 'stopping':
      case 'stopped':
      case 'suspending':
      case 'suspended':
        // In a pool whose members all run, somebody else has done it.
        if (member.abandoned !== null || (seen.running === null && member.desiredPhase !== 'running'))
          sorted.discarded.push(member)
        else if (!member.current || isTooOld(member, seen)) sorted.due.push(member)
        else sorted.resting.push(member)
        break
      case 'deleting':
      case 'deleted':
        break
      default:
        assertNever(member.phase)
    }
  }
  sorted.fresh.sort((a, b) => oldestFirst(b, a))
  sorted.resting.sort((a, b) => oldestFirst(b, a))
  sorted.due.sort(
    (a, b) =>
      Number(b.paused) - Number(a.paused) ||
      Number(a.phase === 'running') - Number(b.phase === 'running') ||
      Number(a.current) - Number(b.current) ||
      oldestFirst(a, b),
  )
  sorted.booting.sort(oldestFirst)
  return sorted
}

/** When a member gets too old, or null. */
function ageLimit(member: Member, { maxAgeMinutes }: SeenPool): Date | null {
  if (maxAgeMinutes === null) return null
  return new Date((member.readyAt ?? member.createdAt).getTime() + maxAgeMinutes * 60_000)
}

function isTooOld(member: Member, seen: SeenPool): boolean {
  const limit = ageLimit(member, seen)
  return limit !== null && limit <= seen.now
}

function isKeptToLookInto(member: Member, seen: SeenPool): boolean {
  if (!isWanted(seen)) return false
  const failedAt = (member.failedAt ?? member.createdAt).getTime()
  if (seen.now.getTime() - failedAt >= keepFailedMilliseconds) return false
  return !seen.members.some(
    (other) =>
      other.phase === 'failed' &&
      other !== member &&
      ((other.failedAt?.getTime() ?? 0) - (member.failedAt?.getTime() ?? 0) || compareIds(other, member)) > 0,
  )
}

function nextTime(seen: SeenPool, boots: BootJudgement, kept: readonly Member[]): Date | null {
  const times = kept.map((member) => ageLimit(member, seen))
  if (!boots.stopped) times.push(boots.retryAt)
  times.push(restsAgainAfter(seen, kept))
  return times.reduce((next, time) => {
    if (time === null || time <= seen.now) return next
    return next === null || time < next ? time : next
  }, null)
}

const oldestFirst = (a: Member, b: Member) =>
  a.createdAt.getTime() - b.createdAt.getTime() || compareIds(a, b)
const compareIds = (a: Member, b: Member) => (a.id < b.id ? -1 : 1)

interface BootJudgement {
  consecutive: number
  /** No more are made until the configuration changes, or somebody asks for another try. */
  stopped: boolean
  retryAt: Date | null
  failure: Failure | null
}

const mostWaitMilliseconds = 300_000

/** What follows from the boots that failed in a row, up to now. */
export function judgeBoots({ recentBoots, bootRetryMilliseconds }: SeenBoots): BootJudgement {
  const firstSuccess = recentBoots.findIndex(({ failed }) => !failed)
  const failures = firstSuccess === -1 ? recentBoots : recentBoots.slice(0, firstSuccess)
  const last = failures[0]
  const consecutive = failures.length
  const stopped = consecutive >= bootAttempts
  if (last === undefined) return { consecutive, stopped: false, retryAt: null, failure: null }
  const wait = backoff(consecutive - 1, { first: bootRetryMilliseconds, most: mostWaitMilliseconds })
  const cause = last.failure?.message ?? 'no cause was reported'
  const failure: Failure | null = stopped
    ? {
        ...(last.failure ?? {}),
        code: 'boots_keep_failing',
        message: `the last ${consecutive} environments failed, so no more are made until the project or the pool changes, or the pool is cleared to be filled anew: ${cause}`,
      }
    : (last.failure ?? null)
  return { consecutive, stopped, retryAt: new Date(last.at.getTime() + wait), failure }
}
