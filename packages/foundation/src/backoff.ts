/** Exponential delay in milliseconds for the given attempt (0 is the first), capped, without jitter. */
export function backoff(attempt: number, options: { first: number; most: number }): number {
  return Math.min(options.most, options.first * 2 ** Math.min(attempt, 30))
}
