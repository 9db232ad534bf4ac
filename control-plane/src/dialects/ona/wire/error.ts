import { Code, ConnectError } from '@connectrpc/connect'
import { assertNever, type HearthError } from '@hearth/foundation'
import { known, retryAfterOf } from '../../../api/error-response.ts'

/** An error in Connect's words. An unexpected error becomes `internal` without its text. */
export function connectErrorOf(thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown
  const error = known(thrown)
  return new ConnectError(messageOf(error), codeOf(error), headersOf(thrown, error))
}

/** Every field is named in the message, since that is all that most clients show. */
function messageOf({ message, details }: HearthError): string {
  const fields = details
    .filter(({ field }) => !message.includes(field))
    .map(({ field, given, expected }) => `${field}: must be ${expected}, got ${given}`)
  return [message, ...fields].join('; ')
}

/** Clients of the older generation repeat what was refused with 409, which changes nothing. */
function headersOf(thrown: unknown, { code }: HearthError): Record<string, string> {
  const again = code === 'unavailable' || code === 'rate_limited' || code === 'internal'
  return { ...retryAfterOf(thrown), ...(again ? {} : { 'x-should-retry': 'false' }) }
}

function codeOf({ code, isTaken }: HearthError): Code {
  switch (code) {
    case 'invalid':
    case 'idempotency_mismatch':
    case 'too_large':
      return Code.InvalidArgument
    case 'unprocessable':
      return Code.FailedPrecondition
    case 'unauthenticated':
      return Code.Unauthenticated
    case 'forbidden':
      return Code.PermissionDenied
    case 'quota_exceeded':
    case 'rate_limited':
    case 'pool_empty':
      return Code.ResourceExhausted
    case 'not_found':
      return Code.NotFound
    case 'conflict':
      return isTaken ? Code.AlreadyExists : Code.FailedPrecondition
    case 'stale_version':
      return Code.Aborted
    case 'expired':
      return Code.OutOfRange
    case 'internal':
      return Code.Internal
    case 'unavailable':
      return Code.Unavailable
    default:
      return assertNever(code)
  }
}
