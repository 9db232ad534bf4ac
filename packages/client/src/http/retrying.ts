import { HearthError, toError } from '@hearth/foundation'
import { ExponentialBackoff, handleWhen, type RetryPolicy, retry } from 'cockatiel'

/** Tries again, with growing pauses, what did not get through: network errors and 503. Nothing else. */
export function retrying(attempts: number): RetryPolicy {
  return retry(handleWhen(isUnavailable), {
    maxAttempts: attempts,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 2_000 }),
  })
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof HearthError && error.code === 'unavailable'
}

/** Whether nothing was sent, since no connection could be made. */
export function isUnreached(error: unknown): boolean {
  if (!isUnavailable(error)) return false
  const cause = networkCause(toError((error as HearthError).cause))
  return 'code' in cause && unreached.has(String(cause.code))
}

const unreached = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'])

/** What ended a `fetch`: it hides the reason one level down, and for a host with several addresses two. */
export function networkCause(error: Error): Error {
  const { cause } = error
  if (cause instanceof AggregateError) return toError(cause.errors[0])
  return cause instanceof Error && cause.message !== '' ? cause : error
}
