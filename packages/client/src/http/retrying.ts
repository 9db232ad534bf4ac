import { backoff, HearthError, toError } from '@hearth/foundation'
import { DelegateBackoff, handleWhen, type IRetryBackoffContext, type RetryPolicy, retry } from 'cockatiel'

/** The longest `Retry-After` that is waited for; a longer one is reported as an error. */
const mostRetryAfterMilliseconds = 10_000

/**
 * Tries again what did not get through: network errors and 503 with growing pauses, 429 after the time it names. Nothing
 * else.
 */
export function retrying(attempts: number, isTransient = mayRepeat): RetryPolicy {
  return retry(handleWhen(isTransient), {
    maxAttempts: attempts,
    backoff: new DelegateBackoff<IRetryBackoffContext<unknown>>(({ attempt, result }) => {
      // Jitter: callers that failed at the same time should not retry at the same time.
      const pause = backoff(attempt - 1, { first: 100, most: 2_000 }) * (0.5 + Math.random() / 2)
      return pause + ('error' in result ? (retryAfterMilliseconds(result.error) ?? 0) : 0)
    }),
  })
}

const mayRepeat = (error: unknown) => isUnavailable(error) || isRateLimited(error)

/** Whether a rate limit refused it and names a wait that is short enough. */
export function isRateLimited(error: unknown): boolean {
  return (retryAfterMilliseconds(error) ?? Number.POSITIVE_INFINITY) <= mostRetryAfterMilliseconds
}

function retryAfterMilliseconds(error: unknown): number | null {
  if (!(error instanceof HearthError) || error.code !== 'rate_limited') return null
  const { retryAfterSeconds } = error.facts
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1000 : null
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
