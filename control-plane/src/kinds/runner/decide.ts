import type { RunnerPhase, RunnerSpec } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

export interface SeenRunner {
  phase: RunnerPhase
  scheduling: RunnerSpec['scheduling']
  lastSeenAt: Date | null
  /** Since when its control plane hears heartbeats; null while it is deaf. Silence from before proves nothing. */
  listeningSince: Date | null
  /** Its own failure rate speaks against it. */
  degraded: boolean
  /** Its agent said that it stops, and has not been heard since. */
  left: boolean
  /** How long a silent runner counts as present. */
  leaseMilliseconds: number
  now: Date
}

/** The phase a runner should be in, from when it was last heard and what is asked of it. */
export function decide(seen: SeenRunner): RunnerPhase {
  switch (seen.phase) {
    case 'deleted':
      return 'deleted'
    case 'created':
    case 'active':
    case 'degraded':
    case 'draining':
    case 'offline':
      if (seen.lastSeenAt === null) return 'created'
      if (seen.left || isSilent(seen, seen.lastSeenAt)) return 'offline'
      if (seen.scheduling === 'draining') return 'draining'
      return seen.degraded ? 'degraded' : 'active'
    default:
      return assertNever(seen.phase)
  }
}

/**
 * An agent that announced its stop may come back at once: its environments too are lost only when its lease is over.
 */
export function staysLeft(
  seen: Pick<SeenRunner, 'leaseMilliseconds' | 'now'> & { lastSeenAt: Date },
): boolean {
  return seen.now < leaseEnd(seen.lastSeenAt, seen.leaseMilliseconds)
}

/** What was offline before its control plane listened stays so until it is heard. */
function isSilent(seen: SeenRunner, lastSeenAt: Date): boolean {
  if (seen.now < leaseEnd(lastSeenAt, seen.leaseMilliseconds)) return false
  if (seen.phase === 'offline') return true
  const end = silenceEnd({ ...seen, lastSeenAt })
  return end !== null && seen.now >= end
}

/** When a runner that stays silent counts as offline; null while nobody listens. */
export function silenceEnd(seen: {
  lastSeenAt: Date
  listeningSince: Date | null
  leaseMilliseconds: number
}): Date | null {
  const { lastSeenAt, listeningSince, leaseMilliseconds } = seen
  if (listeningSince === null) return null
  return leaseEnd(new Date(Math.max(listeningSince.getTime(), lastSeenAt.getTime())), leaseMilliseconds)
}

function leaseEnd(since: Date, leaseMilliseconds: number): Date {
  return new Date(since.getTime() + leaseMilliseconds)
}
