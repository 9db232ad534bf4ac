import { type Failure, type StepStatus, stepKey } from '@hearth/contract'
import { assertNever, toError } from '@hearth/foundation'
import { GuestMisbehaved, type GuestStep, type StepOutcome } from '../../guest/guest.ts'
import { CommandError } from '../../host/command/command-runner.ts'
import { HostError } from '../../host/host-error.ts'
import { HostKeyMismatch } from '../../secure-shell/connection.ts'

const lost = {
  cut_short: 'was cut short in the guest: it was restarted, or the step was killed there',
  unreadable: 'left no readable outcome in the guest: how it ended is not known, so it has failed',
}

/** The failure of a step caused by its own commands. */
export function outcomeFailure(
  status: Pick<StepStatus, 'name' | 'repository'>,
  step: GuestStep,
  outcome: Extract<StepOutcome, { kind: 'failed' | 'lost' }>,
  lastLines: string[],
): Failure {
  const key = stepKey(status)
  const base = { step: status.name, lastLines }
  switch (outcome.kind) {
    case 'lost':
      return { ...base, code: 'command_failed', message: `${key} ${lost[outcome.reason]}` }
    case 'failed': {
      const name = step.commands[outcome.command]?.name ?? key
      if (outcome.cause === 'disk') {
        const message = `${key} could not begin: the guest's disk is full`
        return { ...base, code: 'command_failed', message }
      }
      if (outcome.cause === 'deadline') {
        return {
          ...base,
          code: 'deadline_passed',
          message: `${key}: "${name}" had not ended after ${outcome.limitSeconds} s`,
        }
      }
      return {
        ...base,
        code: status.name === 'clone_repo' ? 'clone_failed' : 'command_failed',
        message: `${key}: "${name}" exited with ${outcome.exitCode}`,
      }
    }
    default:
      return assertNever(outcome)
  }
}

/** The failure for an error of the host or of the agent itself. */
export function thrownFailure(thrown: unknown, step?: StepStatus['name']): Failure {
  const error = toError(thrown)
  const base = step === undefined ? {} : { step }
  if (error instanceof GuestMisbehaved) {
    return { ...base, code: 'guest_misbehaved', message: error.message }
  }
  if (error instanceof HostError) return { ...base, code: error.code, message: error.message }
  if (error instanceof HostKeyMismatch) {
    return {
      ...base,
      code: 'identity_mismatch',
      message: 'the guest shows another SSH host key than it was given',
    }
  }
  if (error instanceof CommandError) return { ...base, code: 'host_refused', message: error.message }
  return { ...base, code: 'internal', message: error.message }
}
