import { toError } from '@hearth/foundation'
import { HostKeyMismatch } from '../../secure-shell/connection.ts'
import {
  type GuestMachine,
  GuestMisbehaved,
  IdentityNotTaken,
  type IdentityTaking,
  type Origin,
  StaleInGuest,
} from '../guest.ts'
import { buildIdentityTaking, clockRequest, identityExitCodes } from './identity-taking.ts'
import { shown } from './shown.ts'
import { parseStaleNumbers } from './step-outcome.ts'
import { staleExitCode } from './step-script.ts'
import type { WaitingShells } from './waiting-shell.ts'

const mostBytes = 64

/** Runs the program that gives a frozen guest its own identity, over a connection whose host key was verified. */
export async function takeIdentity(
  shells: WaitingShells,
  machine: GuestMachine,
  taking: IdentityTaking,
  origin: Origin,
  clock: { now(): Date },
  signal: AbortSignal,
): Promise<void> {
  let stderr = ''
  let asked = ''
  const execution = await shells.execute(buildIdentityTaking(taking, machine, origin), {
    purpose: 'the taking of its identity',
    mostBytes,
    isLast: taking.resumed,
    onStdout: (chunk) => {
      asked += chunk.toString('latin1')
      if (asked !== `${clockRequest}\n`) return
      execution.write(`${(clock.now().getTime() / 1000).toFixed(3)}\n`)
    },
    onStderr: (chunk) => {
      stderr += chunk.toString('utf8')
    },
    signal,
  })
  const exitCode = await execution.exitCode
  switch (exitCode) {
    case 0:
      return
    case staleExitCode:
      throw new StaleInGuest(parseStaleNumbers(stderr), origin)
    case identityExitCodes.unwritable:
      throw new IdentityNotTaken(`the guest could not write the files of its identity: ${shown(stderr)}`)
    case identityExitCodes.notReseeded:
      throw new IdentityNotTaken(
        'the guest could not reseed the kernel’s random numbers: it has neither perl nor python3, or they failed',
      )
    default:
      throw new Error(`the guest could not take its identity (exit ${exitCode}): ${shown(stderr)}`)
  }
}

/** The error of an attempt, said so that `isFinalForFrozen` knows what another attempt would do. */
export function identityFault(thrown: unknown, { resumed }: IdentityTaking): Error {
  const error = toError(thrown)
  const isRefusal = (error as Error & { level?: string }).level === 'client-authentication'
  // A booting guest may refuse the agent until its seed has been applied.
  if (!resumed || !isRefusal) return error
  return new IdentityNotTaken(
    'the resumed guest does not accept the key of this agent: another agent made it',
  )
}

/** Whether another attempt to give a frozen guest its identity would end in the same way. */
export function isFinalForFrozen(thrown: unknown, { resumed }: IdentityTaking): boolean {
  if (thrown instanceof StaleInGuest || thrown instanceof GuestMisbehaved) return true
  if (thrown instanceof IdentityNotTaken) return true
  // A booting guest may show the former key until its seed has been applied.
  return resumed && thrown instanceof HostKeyMismatch
}
