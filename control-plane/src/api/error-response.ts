import type { ErrorBody } from '@hearth/contract'
import { assertNever, type ErrorCode, HearthError } from '@hearth/foundation'
import { isConnectionLoss } from '../database/connection.ts'

type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 410 | 413 | 422 | 429 | 500 | 503

/** `Retry-After` of an `unavailable` error, in seconds. */
const unavailableSeconds = 2

/** The one place where an error becomes an HTTP response. An unexpected error becomes a 500 without its text. */
export function errorResponse(thrown: unknown, requestId: string): { status: ErrorStatus; body: ErrorBody } {
  const error = known(thrown)
  return {
    status: statusOf(error.code),
    body: {
      error: {
        code: error.code,
        message: error.message,
        details: [...error.details],
        facts: error.facts,
        requestId,
      },
    },
  }
}

/** Turns whatever was thrown into an error whose text may be shown to the caller. */
export function known(thrown: unknown): HearthError {
  if (thrown instanceof HearthError) return thrown
  if (isConnectionLoss(thrown)) {
    return new HearthError('unavailable', 'the database does not answer at the moment: try again', {
      cause: thrown,
    })
  }
  return new HearthError('internal', 'something went wrong here; the log has it under this request id', {
    cause: thrown,
  })
}

function statusOf(code: ErrorCode): ErrorStatus {
  switch (code) {
    case 'invalid':
      return 400
    case 'unauthenticated':
      return 401
    case 'forbidden':
    case 'quota_exceeded':
      return 403
    case 'not_found':
      return 404
    case 'conflict':
    case 'stale_version':
    case 'pool_empty':
      return 409
    case 'expired':
      return 410
    case 'too_large':
      return 413
    case 'idempotency_mismatch':
    case 'unprocessable':
      return 422
    case 'rate_limited':
      return 429
    case 'internal':
      return 500
    case 'unavailable':
      return 503
    default:
      return assertNever(code)
  }
}

/** The `Retry-After` header; none where a retry is of no use or the error gives no time. */
export function retryAfterOf(thrown: unknown): Record<string, string> {
  const { code, facts } = known(thrown)
  const seconds = facts.retryAfterSeconds ?? (code === 'unavailable' ? unavailableSeconds : undefined)
  return typeof seconds === 'number' ? { 'Retry-After': String(Math.ceil(seconds)) } : {}
}
