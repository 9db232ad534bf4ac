import {
  type DesiredPhase,
  type EnvironmentPhase,
  environmentPhaseTable,
  type Failure,
} from '@hearth/contract'

/** One environment and what its next action depends on, as read under lock. */
export interface SeenEnvironment {
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  deadline: Date | null
  unreachable: boolean
  /** Whether it has ever been ready, so that it may hold someone's work. */
  everReady: boolean
  projectDeleting: boolean
  /** Why the snapshot that it waits for cannot be started from; null where it can, or is being made. */
  sourceFailure: Failure | null
  /** When it has been kept for as long as was asked, and what it was kept for; null for one without such an end. */
  kept: { until: Date; endsFor: 'test_over' | 'inspection_over' } | null
  /** Its runner, where it has one. */
  runner: { name: string; silent: boolean; removed: boolean } | null
  now: Date
}

export type EnvironmentAction =
  | { do: 'desire-deletion'; reason: 'project_deleted' | 'runner_removed' | 'test_over' | 'inspection_over' }
  | { do: 'place' } // find a runner
  | { do: 'begin-deletion' } // have the runner remove it
  | { do: 'repeat-deletion'; failure: Failure } // the runner did not: record why it waits and ask again
  | { do: 'forget' } // nothing of it is on a host that could answer
  | { do: 'fail'; failure: Failure }
  | { do: 'mark-unreachable'; unreachable: boolean }

/** The next action: at most one, since the next reconcile sees its result. */
export function decide(seen: SeenEnvironment): EnvironmentAction | null {
  if (seen.phase === 'deleted') return null
  if (seen.desiredPhase === 'deleted') return decideDeletion(seen)
  if (seen.projectDeleting) return { do: 'desire-deletion', reason: 'project_deleted' }
  if (seen.runner?.removed === true) return { do: 'desire-deletion', reason: 'runner_removed' }
  if (seen.kept !== null && seen.kept.until <= seen.now)
    return { do: 'desire-deletion', reason: seen.kept.endsFor }
  const silent = seen.runner?.silent ?? false
  if (seen.unreachable !== silent) return { do: 'mark-unreachable', unreachable: silent }
  if (passed(seen) && !(silent && seen.everReady))
    return { do: 'fail', failure: silent ? lossFailure(seen) : deadlineFailure(seen) }
  if (seen.phase === 'pending' && seen.sourceFailure !== null)
    return { do: 'fail', failure: seen.sourceFailure }
  return seen.phase === 'pending' ? { do: 'place' } : null
}

function decideDeletion(seen: SeenEnvironment): EnvironmentAction | null {
  // A silent runner learns from its next synchronisation that the machine is unwanted, so nothing stays behind on the
  // host.
  if (seen.runner === null || seen.runner.silent) return { do: 'forget' }
  if (seen.phase !== 'deleting') return { do: 'begin-deletion' }
  return passed(seen) ? { do: 'repeat-deletion', failure: deadlineFailure(seen) } : null
}

function passed({ deadline, now }: SeenEnvironment): boolean {
  return deadline !== null && deadline <= now
}

/**
 * When its wait ends. On a silent runner a machine that was ready has no deadline: the runner may be doing what is
 * waited for, so that its return settles it and not the clock. One that was never ready is nobody's work yet.
 */
export function deadlineWhile(
  seen: Pick<SeenEnvironment, 'phase' | 'everReady' | 'deadline' | 'now'>,
  unreachable: boolean,
): Date | null {
  const { deadlineSeconds } = environmentPhaseTable[seen.phase]
  if (deadlineSeconds === null || (unreachable && seen.everReady)) return null
  return unreachable ? seen.deadline : new Date(seen.now.getTime() + deadlineSeconds * 1000)
}

function lossFailure(seen: SeenEnvironment): Failure {
  const where = seen.runner === null ? 'its runner' : `its runner ${seen.runner.name}`
  return {
    code: 'runner_lost',
    message: `${where} went silent while it was ${seen.phase}, and did not return in time`,
  }
}

function deadlineFailure(seen: SeenEnvironment): Failure {
  const waitsFor = environmentPhaseTable[seen.phase].waitsFor ?? 'a change'
  const where = seen.runner === null ? '' : ` on ${seen.runner.name}`
  return {
    code: seen.phase === 'pending' ? 'no_runner_fits' : 'deadline_passed',
    message: `it was ${seen.phase}${where} and waited for ${waitsFor} until its deadline passed`,
  }
}
