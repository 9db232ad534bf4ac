import { HearthError } from '@hearth/foundation'
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
