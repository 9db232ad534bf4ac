import {
  type DesiredPhase,
  type EnvironmentPhase,
  environmentPhaseTable,
  type Failure,
} from '@hearth/contract'

/** One environment and what surrounds it, as seen under lock. */
export interface ObservedEnvironment {
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  deadline: Date | null
  unreachable: boolean
  projectDeleting: boolean
  /** Its runner, where it has one. */
  runner: { name: string; silent: boolean; removed: boolean } | null
  now: Date
}

export type EnvironmentAction =
  | { do: 'desire-deletion' } // its project is going, or its runner was removed
  | { do: 'place' } // find a runner
  | { do: 'begin-deletion' } // have the runner remove it
  | { do: 'repeat-deletion'; failure: Failure } // the runner did not: record why it waits and ask again
  | { do: 'forget' } // nothing of it is on a host that could answer
  | { do: 'fail'; failure: Failure }
  | { do: 'mark-unreachable'; unreachable: boolean }

/** What is to be done now: at most one action, since the next look sees what came of it. */
export function decide(seen: ObservedEnvironment): EnvironmentAction | null {
  if (seen.phase === 'deleted') return null
  const givenUp = seen.projectDeleting || seen.runner?.removed === true
  if (givenUp && seen.desiredPhase !== 'deleted') return { do: 'desire-deletion' }
  if (seen.desiredPhase === 'deleted') return decideDeletion(seen)
  const silent = seen.runner?.silent ?? false
  if (seen.unreachable !== silent) return { do: 'mark-unreachable', unreachable: silent }
  // A silent runner may be doing what is waited for: its return, not the clock, settles it.
  if (passed(seen) && !silent) return { do: 'fail', failure: deadlineFailure(seen) }
  return seen.phase === 'pending' ? { do: 'place' } : null
}

function decideDeletion(seen: ObservedEnvironment): EnvironmentAction | null {
  // A silent runner learns from its next sync that the machine is unwanted, so nothing stays behind.
  if (seen.runner === null || seen.runner.silent) return { do: 'forget' }
  if (seen.phase !== 'deleting') return { do: 'begin-deletion' }
  return passed(seen) ? { do: 'repeat-deletion', failure: deadlineFailure(seen) } : null
}

function passed({ deadline, now }: ObservedEnvironment): boolean {
  return deadline !== null && deadline <= now
}

function deadlineFailure(seen: ObservedEnvironment): Failure {
  const waitsFor = environmentPhaseTable[seen.phase].waitsFor ?? 'a change'
  const where = seen.runner === null ? '' : ` on ${seen.runner.name}`
  return {
    code: seen.phase === 'pending' ? 'no_runner_fits' : 'deadline_passed',
    message: `it was ${seen.phase}${where} and waited for ${waitsFor} until its deadline passed`,
  }
}
