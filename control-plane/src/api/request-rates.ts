import { type Clock, HearthError } from '@hearth/foundation'
import type { Caller } from './caller.ts'

/** How many seconds' worth of requests may come at once after a pause. */
const burstSeconds = 5
/** Beyond this many, full buckets are forgotten: they are as good as new ones. */
const mostBuckets = 10_000

interface Bucket {
  tokens: number
  at: number
}

/** Token buckets for each principal and each organization, in memory: each control plane bounds what it is asked. */
export class RequestRates {
  private readonly buckets = new Map<string, Bucket>()

  constructor(private readonly clock: Clock) {}

  /** How many buckets are kept. */
  get size(): number {
    return this.buckets.size
  }

  /** Throws `rate_limited` when the caller, or its organization, asks too often. Runners are not members. */
  take(caller: Caller): void {
    if (caller.runnerId !== null) return
    const now = this.clock.now().getTime() / 1000
    const bounds = [
      { key: caller.principalId, whose: 'you send', rate: caller.limits.principal.requestsPerSecond },
      {
        key: caller.organizationId,
        whose: 'your organization sends',
        rate: caller.limits.organization.requestsPerSecond,
      },
    ]
    const filled = bounds.flatMap(({ key, whose, rate }) =>
      rate === null ? [] : [{ key, whose, rate, tokens: this.filled(key, rate, now) }],
    )
    for (const { whose, rate, tokens } of filled) {
      if (tokens >= 1) continue
      const retryAfterSeconds = rate === 0 ? 60 : Math.ceil((1 - tokens) / rate)
      throw new HearthError(
        'rate_limited',
        `${whose} more than ${rate} requests a second: try again in ${retryAfterSeconds} s`,
        { facts: { quota: 'requestsPerSecond', limit: rate, retryAfterSeconds } },
      )
    }
    for (const { key, tokens } of filled) this.keep(key, { tokens: tokens - 1, at: now }, now)
  }

  private filled(key: string, rate: number, now: number): number {
    const most = rate * burstSeconds
    const bucket = this.buckets.get(key)
    if (bucket === undefined) return most
    return Math.min(most, bucket.tokens + Math.max(0, now - bucket.at) * rate)
  }

  private keep(key: string, bucket: Bucket, now: number): void {
    if (this.buckets.size >= mostBuckets && !this.buckets.has(key)) {
      for (const [old, { at }] of this.buckets) if (now - at >= burstSeconds) this.buckets.delete(old)
    }
    this.buckets.set(key, bucket)
  }
}
