import { type Clock, HearthError } from '@hearth/foundation'
import type { Network } from '../network.ts'
import { type SentFrom, senderKey, senderOf } from './sender.ts'

export interface SenderBounds {
  requestsPerSecond: number
  /** Proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: readonly Network[]
}

/** After a pause, the requests of so many seconds may come at once. */
const burstSeconds = 10
/** Above this number the one that was heard of longest ago is forgotten, which lets it begin anew. */
export const mostSenders = 20_000

/**
 * Bounds what each sender asks of routes that are open to anybody: what a stranger sends is refused by where it came from, not by
 * what it is about, which would let him shut others out. In memory: each control plane counts for itself.
 */
export class SenderRates {
  /** For each sender when its requests so far are paid off, in seconds since 1970; the one heard of last at the end. */
  private readonly dueBy = new Map<string, number>()

  constructor(
    private readonly clock: Clock,
    private readonly bounds: SenderBounds,
  ) {}

  /** How many senders are remembered. */
  get size(): number {
    return this.dueBy.size
  }

  /** Throws `rate_limited` when the sender asks too often. */
  take(from: SentFrom): void {
    const { requestsPerSecond, trustedProxies } = this.bounds
    const sender = senderOf(from, trustedProxies)
    const now = this.clock.now().getTime() / 1000
    const latest = now + burstSeconds
    // Within bounds also after the clock was put back.
    const due = Math.min(Math.max(this.dueBy.get(senderKey(sender)) ?? now, now), latest)
    const next = due + 1 / requestsPerSecond
    const isTooMany = next > latest
    this.remember(senderKey(sender), isTooMany ? due : next)
    if (!isTooMany) return
    const retryAfterSeconds = Math.ceil(next - latest)
    throw new HearthError(
      'rate_limited',
      `more than ${requestsPerSecond} requests a second come from ${sender}: try again in ${retryAfterSeconds} s`,
      { facts: { limit: requestsPerSecond, retryAfterSeconds } },
    )
  }

  private remember(key: string, due: number): void {
    this.dueBy.delete(key)
    this.dueBy.set(key, due)
    if (this.dueBy.size <= mostSenders) return
    for (const oldest of this.dueBy.keys()) {
      this.dueBy.delete(oldest)
      return
    }
  }
}
