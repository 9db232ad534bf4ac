import { bootAttempts, type EnvironmentPhase, type Failure, type WarmPoolPhase } from '@hearth/contract'
import { assertNever, backoff } from '@hearth/foundation'

/** A machine of the pool that nobody has claimed and that is not on its way out. */
export interface Member {
  id: string
  phase: EnvironmentPhase
  /** Made from what the pool now says. */
  current: boolean
  /** Its runner is silent, or gives its machines up. */
  abandoned: boolean
  createdAt: Date
  failedAt: Date | null
}

export interface ObservedPool {
  enabled: boolean
  min: number
  deleting: boolean
  members: readonly Member[]
  /** How boots of the present configuration ended, newest first, those of other causes than the set-up left out. */
  recentBoots: readonly { failed: boolean; at: Date; failure: Failure | null }[]
  now: Date
}

export type PoolAction = { do: 'create'; count: number } | { do: 'retire'; id: string }

export interface PoolDecision {
  actions: PoolAction[]
  phase: WarmPoolPhase
  ready: number
  provisioning: number
  failed: number
  consecutiveFailures: number
  retryAt: Date | null
  failure: Failure | null
}

/** A failed machine is kept this long, the newest one only, so that someone can look into it. */
const keepFailedMilliseconds = 30 * 60_000

/**
 * What a pool lacks and has too much of. Members of an older configuration stay claimable until newer ones replace
 * them, one at a time. A configuration whose boots keep failing is given up until it changes.
 */
export function decide(seen: ObservedPool): PoolDecision {
  const target = seen.enabled && !seen.deleting ? seen.min : 0
  const sorted = sortMembers(seen)
  const failures = judgeBoots(seen)
  const ready = sorted.current.filter(isReady)
  const replacing = sorted.older.filter(isReady).sort(oldestFirst)
  // Each new one that is ready lets one of the older go; those beyond what is wanted go at once.
  const olderKept = Math.max(0, Math.min(replacing.length, target - ready.length))
  const surplus = sorted.current.toSorted(readyThenOldest).slice(target)
  const retired = [
    ...sorted.discarded,
    ...sorted.older.filter((member) => !isReady(member)),
    ...replacing.slice(0, replacing.length - olderKept),
    ...surplus,
  ]
  const missing = Math.max(0, target - sorted.current.length)
  const booting = sorted.current.length - ready.length
  const allowed = olderKept > 0 ? Math.max(0, 1 - booting) : missing
  const waiting = failures.stopped || (failures.retryAt !== null && failures.retryAt > seen.now)
  const count = waiting ? 0 : Math.min(missing, allowed)
  const created: PoolAction[] = count > 0 ? [{ do: 'create', count }] : []
  return {
    actions: [...retired.map(({ id }): PoolAction => ({ do: 'retire', id })), ...created],
    phase: phaseOf(seen, target, ready.length, failures.stopped),
    ready: ready.length + olderKept,
    provisioning: booting + count - surplus.filter((member) => !isReady(member)).length,
    failed: seen.members.filter(({ phase }) => phase === 'failed').length,
    consecutiveFailures: failures.consecutive,
    retryAt: failures.stopped ? null : failures.retryAt,
    failure: failures.failure,
  }
}

function sortMembers(seen: ObservedPool) {
  const current: Member[] = []
  const older: Member[] = []
  const discarded: Member[] = []
  const newestFailed = seen.members
    .filter(({ phase, failedAt }) => phase === 'failed' && failedAt !== null)
    .reduce<Member | null>(
      (newest, member) => (newest === null || failedAfter(member, newest) ? member : newest),
      null,
    )
  for (const member of seen.members) {
    switch (member.phase) {
      case 'pending':
      case 'provisioning':
      case 'starting':
      case 'running':
        if (member.abandoned) discarded.push(member)
        else if (member.current) current.push(member)
        else older.push(member)
        break
      case 'failed': {
        const failedAt = member.failedAt ?? member.createdAt
        const old = seen.now.getTime() - failedAt.getTime() >= keepFailedMilliseconds
        if (member !== newestFailed || old || seen.deleting || !seen.enabled) discarded.push(member)
        break
      }
      case 'stopping':
      case 'stopped':
        discarded.push(member)
        break
      case 'deleting':
      case 'deleted':
        break
      default:
        assertNever(member.phase)
    }
  }
  return { current, older, discarded }
}

function judgeBoots({ recentBoots }: ObservedPool) {
  const firstSuccess = recentBoots.findIndex(({ failed }) => !failed)
  const failures = firstSuccess === -1 ? recentBoots : recentBoots.slice(0, firstSuccess)
  const last = failures[0]
  const consecutive = failures.length
  const stopped = consecutive >= bootAttempts
  if (last === undefined) return { consecutive, stopped: false, retryAt: null, failure: null }
  const retryAt = new Date(last.at.getTime() + backoff(consecutive - 1, { first: 10_000, most: 300_000 }))
  const cause = last.failure?.message ?? 'no cause was reported'
  const failure: Failure | null = stopped
    ? {
        ...(last.failure ?? {}),
        code: 'boots_keep_failing',
        message: `the last ${consecutive} machines failed, so no more are made until the project or the pool changes: ${cause}`,
      }
    : (last.failure ?? null)
  return { consecutive, stopped, retryAt, failure }
}

function phaseOf(seen: ObservedPool, target: number, ready: number, stopped: boolean): WarmPoolPhase {
  if (seen.deleting) return 'deleting'
  if (!seen.enabled) return 'disabled'
  if (ready >= target) return 'ready'
  return stopped ? 'failed' : 'filling'
}

const isReady = ({ phase }: Member) => phase === 'running'
const oldestFirst = (a: Member, b: Member) =>
  a.createdAt.getTime() - b.createdAt.getTime() || compareIds(a, b)
const readyThenOldest = (a: Member, b: Member) => Number(isReady(b)) - Number(isReady(a)) || oldestFirst(a, b)
const compareIds = (a: Member, b: Member) => (a.id < b.id ? -1 : 1)

function failedAfter(a: Member, b: Member): boolean {
  return (a.failedAt?.getTime() ?? 0) > (b.failedAt?.getTime() ?? 0)
}
