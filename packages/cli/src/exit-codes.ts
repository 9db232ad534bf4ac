import { assertNever, type ErrorCode, HearthError } from '@hearth/foundation'

/** Exit statuses of the command. `hearth ssh` and `hearth exec` pass on the status of what they ran. */
export const exitCodes = {
  success: 0,
  failure: 1,
  badInput: 2,
  notFound: 3,
  conflict: 4,
  unreachable: 5,
  interrupted: 130,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export const exitCodeHelp: readonly { code: ExitCode; meaning: string }[] = [
  { code: exitCodes.success, meaning: 'it worked' },
  {
    code: exitCodes.failure,
    meaning: 'what was asked for failed: a step, a pool, a check; or a fault of Hearth',
  },
  {
    code: exitCodes.badInput,
    meaning: 'the command line, a file or a value is wrong; nothing was changed',
  },
  { code: exitCodes.notFound, meaning: 'there is no such resource, or it is not kept any more' },
  {
    code: exitCodes.conflict,
    meaning: 'the state does not allow it: pool empty, name taken, version stale, quota used up',
  },
  {
    code: exitCodes.unreachable,
    meaning: 'the control plane does not answer, or the token is missing or refused',
  },
  { code: exitCodes.interrupted, meaning: 'ended by Ctrl-C' },
]

/** Ends the command with an exit status of its own, after a message. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  constructor(
    message: string,
    readonly exitCode: number,
    /** For lines that programs such as editors read too: printed unchanged. */
    readonly isVerbatim = false,
  ) {
    super(message)
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode
  if (error instanceof HearthError) return exitCodeOfCode(error.code)
  return exitCodes.failure
}

function exitCodeOfCode(code: ErrorCode): ExitCode {
  switch (code) {
    case 'invalid':
    case 'too_large':
      return exitCodes.badInput
    case 'not_found':
    case 'expired':
      return exitCodes.notFound
    case 'conflict':
    case 'stale_version':
    case 'pool_empty':
    case 'idempotency_mismatch':
    case 'unprocessable':
    case 'quota_exceeded':
      return exitCodes.conflict
    case 'unavailable':
    case 'rate_limited':
    case 'unauthenticated':
    case 'forbidden':
      return exitCodes.unreachable
    case 'internal':
      return exitCodes.failure
    default:
      return assertNever(code)
  }
}
