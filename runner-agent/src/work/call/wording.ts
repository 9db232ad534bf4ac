import { assertNever, type ErrorCode, HearthError } from '@hearth/foundation'
import { type CallFault, CallLost, CallRefused } from '../../guest/call.ts'
import { GuestMisbehaved, GuestUnreachable } from '../../guest/guest.ts'
import type { Power } from '../../host/machine.ts'
import { LeaseNotHeld } from '../../lease/lease.ts'

/** What the caller is told of something that went wrong in a guest; anything else is left as it is. */
export function toldOf(thrown: unknown, subject: string): unknown {
  if (thrown instanceof CallRefused) return refused(thrown.fault, subject)
  if (thrown instanceof CallLost && thrown.cause instanceof HearthError) return thrown.cause
  if (thrown instanceof CallLost)
    return new HearthError(
      'unavailable',
      'the connection to the machine was lost meanwhile: whether it was done is not known',
      { cause: thrown },
    )
  if (thrown instanceof GuestUnreachable)
    return new HearthError('unavailable', 'the machine runs, and did not answer in time', { cause: thrown })
  if (thrown instanceof GuestMisbehaved)
    return new HearthError('unavailable', 'the machine sent what is no answer, or too much', {
      cause: thrown,
    })
  if (thrown instanceof LeaseNotHeld)
    return new HearthError('unavailable', 'the agent of the host does not have its lease at the moment', {
      cause: thrown,
    })
  return thrown
}

function refused(fault: CallFault, subject: string): HearthError {
  const say = (code: ErrorCode, what: string) => new HearthError(code, what)
  switch (fault) {
    case 'missing':
      return say('not_found', `there is no ${subject} in the machine`)
    case 'exists':
      return say('conflict', `${subject} is there already`)
    case 'no_file':
      return say('conflict', `${subject} is not a file`)
    case 'denied':
      return say('conflict', `${subject} cannot be opened`)
    case 'full':
      return say('conflict', 'the machine has no room left')
    case 'no_folder':
      return say('not_found', `the folder of ${subject} is not there, and cannot be made`)
    case 'too_slow':
      return say('unavailable', `${subject} took too long to read`)
    default:
      return assertNever(fault)
  }
}

/** Why a call into a machine in this state makes no sense; null where it does. */
export function notRunning(power: Power): HearthError | null {
  switch (power) {
    case 'running':
      return null
    case 'absent':
      return new HearthError('conflict', 'the machine is not on its host')
    case 'shut_off':
    case 'crashed':
      return new HearthError('conflict', 'the machine does not run')
    case 'paused':
      return new HearthError('conflict', 'the machine stands still')
    case 'suspended':
      return new HearthError('conflict', 'the machine is suspended')
    default:
      return assertNever(power)
  }
}
