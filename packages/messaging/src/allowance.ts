/** Maximum number of senders remembered; the sender that was quiet longest is forgotten first. */
const mostSenders = 20_000

interface Bucket {
  left: number
  at: number
}

/**
 * A token bucket per sender, in messages or bytes: `burst` at once and `perSecond` continuously. A sender that
 * exceeds its share takes nothing from the others.
 */
export class Allowance {
  private readonly buckets = new Map<string, Bucket>()

  constructor(
    private readonly options: { perSecond: number; burst: number },
    /** Monotonic clock, in milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Returns false when the sender has used up its allowance. */
  take(sender: string, amount = 1): boolean {
    const { perSecond, burst } = this.options
    const now = this.now()
    const bucket = this.buckets.get(sender) ?? { left: burst, at: now }
    const left = Math.min(burst, bucket.left + ((now - bucket.at) / 1_000) * perSecond)
    // Moved to the end of the map, so that the first entry is the sender that was quiet longest.
    this.buckets.delete(sender)
    this.buckets.set(sender, { left: left >= amount ? left - amount : left, at: now })
    if (this.buckets.size > mostSenders) this.forgetOldest()
    return left >= amount
  }

  private forgetOldest(): void {
    for (const sender of this.buckets.keys()) {
      this.buckets.delete(sender)
      return
    }
  }
}
