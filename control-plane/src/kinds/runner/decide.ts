import { type RunnerPhase, type RunnerSpec, runnerLeaseSeconds } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

export interface ObservedRunner {
  phase: RunnerPhase
  scheduling: RunnerSpec['scheduling']
  lastSeenAt: Date | null
  now: Date
}

/** The phase a runner should be in, from when it was last heard and what is asked of it. */
export function decide(seen: ObservedRunner): RunnerPhase {
  switch (seen.phase) {
    case 'deleted':
      return 'deleted'
    case 'created':
    case 'active':
    case 'degraded':
    case 'draining':
    case 'offline':
      if (seen.lastSeenAt === null) return 'created'
      if (seen.now.getTime() >= leaseEnd(seen.lastSeenAt).getTime()) return 'offline'
      return seen.scheduling === 'draining' ? 'draining' : 'active'
    default:
      return assertNever(seen.phase)
  }
}

/** When a runner that stays silent counts as offline. */
export function leaseEnd(lastSeenAt: Date): Date {
  return new Date(lastSeenAt.getTime() + runnerLeaseSeconds * 1000)
}
