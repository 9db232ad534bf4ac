import {
  bindingBeginsSeconds,
  bindingLimitSeconds,
  type ClaimBinding,
  type Failure,
  type ReportedBinding,
  type StepStatus,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { StoredBinding } from './stored.ts'

/** What the environment of a claim shows of its binding. */
export interface SeenBinding {
  claimId: string
  wanted: ClaimBinding
  stored: StoredBinding
  /** The newest report; null before the first. */
  reported: ReportedBinding | null
  /** Whether its machine runs on a host that is not silent and is to go on running: only then time passes. */
  isRunning: boolean
  /** For the sentence about a runner that does not begin. */
  runner: string | null
  now: Date
}

/** The binding after what its runner says and the time that has passed. */
export function followBinding(seen: SeenBinding): StoredBinding {
  const { stored, isRunning, now } = seen
  const told = withReport(seen)
  if (isSettled(told)) return { ...told, since: null }
  if (!isRunning) return { ...told, since: null }
  const since = stored.since ?? now.toISOString()
  const running = { ...told, since }
  const deadline = bindingDeadline(seen.wanted, running)
  if (deadline === null || deadline > now) return running
  return { ...running, phase: 'failed', since: null, failure: overdue(seen, running) }
}

/** When the binding fails unless it has moved on; null while its machine does not run, and once it is settled. */
export function bindingDeadline(wanted: ClaimBinding, { phase, since }: StoredBinding): Date | null {
  if (since === null) return null
  const seconds = phase === 'pending' ? bindingBeginsSeconds : bindingLimitSeconds(wanted)
  return new Date(Date.parse(since) + seconds * 1000)
}

/** A report of another claim or another try says nothing, and one that was given up stays so until it is retried. */
function withReport({ claimId, stored, reported }: SeenBinding): StoredBinding {
  if (reported === null || reported.claimId !== claimId || reported.attempt !== stored.attempt) return stored
  if (stored.phase === 'failed') return stored
  const { phase, boundAt, failure } = reported
  return { ...stored, phase, boundAt, failure, steps: reported.steps }
}

function isSettled({ phase }: StoredBinding): boolean {
  switch (phase) {
    case 'pending':
    case 'running':
      return false
    case 'bound':
    case 'failed':
      return true
    default:
      return assertNever(phase)
  }
}

function overdue({ wanted, runner }: SeenBinding, { phase, steps }: StoredBinding): Failure {
  const its = runner === null ? 'its runner' : `runner ${runner}`
  if (phase === 'pending')
    return {
      code: 'deadline_passed',
      message: `${its} did not begin to bind the claim within ${bindingBeginsSeconds} s: its agent may be of a version that cannot; update it, then retry the claim`,
    }
  const step = steps.find((each: StepStatus) => each.phase === 'running')
  const message = `the claim was not bound within ${bindingLimitSeconds(wanted)} s`
  return { code: 'deadline_passed', message, ...(step === undefined ? {} : { step: step.name }) }
}
