import { type Clock, HearthError } from '@hearth/foundation'
import type { Caller } from './caller.ts'

/** After a pause, the requests of so many seconds may come at once. */
const burstSeconds = 5
/** Above this number full buckets are deleted: a new bucket is full too. */
const mostBuckets = 10_000

/** So many bytes of a change count as one request, because observers, NATS and PostgreSQL each process them. */
const bytesOfRequest = 4_096

interface Bucket {
  /** Below zero when a large change took more than was left. */
  tokens: number
  at: number
  /** From when on it is as good as a new one. */
  fullAt: number
}

interface FilledBucket {
  key: string
  whose: string
  rate: number
  tokens: number
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
    const now = this.now()
    const filled = this.bucketsOf(caller, now)
    refuse(filled, 1)
    this.spend(filled, 1, now)
  }

  /** Throws `rate_limited` when changes that were let through at the same time have taken more than there was. */
  refuseOverdrawn(caller: Caller): void {
    if (caller.runnerId === null) refuse(this.bucketsOf(caller, this.now()), 0)
  }

  /** Counts an admitted change's bytes as the number of requests they are worth, so that later requests wait. */
  charge(caller: Caller, bytes: number): void {
    const worth = Math.floor(bytes / bytesOfRequest)
    if (caller.runnerId !== null || worth === 0) return
    const now = this.now()
    this.spend(this.bucketsOf(caller, now), worth, now)
  }

  private now(): number {
    return this.clock.now().getTime() / 1000
  }

  private bucketsOf({ principalId, organizationId, limits }: Caller, now: number): FilledBucket[] {
    const { principal, organization } = limits
    return [
      { key: principalId, whose: 'you send', rate: principal.requestsPerSecond },
      { key: organizationId, whose: 'your organization sends', rate: organization.requestsPerSecond },
    ].flatMap(({ key, whose, rate }) =>
      rate === null ? [] : [{ key, whose, rate, tokens: this.filled(key, rate, now) }],
    )
  }

  private spend(buckets: readonly FilledBucket[], cost: number, now: number): void {
    for (const { key, rate, tokens } of buckets) {
      const left = tokens - cost
      const secondsToFull = rate === 0 ? 0 : burstSeconds - left / rate
      this.keep(key, { tokens: left, at: now, fullAt: now + secondsToFull }, now)
    }
  }

  private filled(key: string, rate: number, now: number): number {
    const most = rate * burstSeconds
    const bucket = this.buckets.get(key)
    if (bucket === undefined) return most
    return Math.min(most, bucket.tokens + Math.max(0, now - bucket.at) * rate)
  }

  private keep(key: string, bucket: Bucket, now: number): void {
    if (this.buckets.size >= mostBuckets && !this.buckets.has(key)) {
      for (const [old, { fullAt }] of this.buckets) if (now >= fullAt) this.buckets.delete(old)
    }
    this.buckets.set(key, bucket)
  }
}

function refuse(buckets: readonly FilledBucket[], needed: number): void {
  for (const { whose, rate, tokens } of buckets) {
    if (tokens >= needed) continue
    const retryAfterSeconds = rate === 0 ? 60 : Math.ceil((1 - tokens) / rate)
    throw new HearthError(
      'rate_limited',
      `${whose} more than ${rate} requests a second, or changes as large: try again in ${retryAfterSeconds} s`,
      { facts: { quota: 'requestsPerSecond', limit: rate, retryAfterSeconds } },
    )
  }
}
