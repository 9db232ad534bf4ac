/** At most this many senders are remembered; whoever was quiet longest is forgotten first. */
const mostSenders = 20_000

interface Bucket {
  left: number
  at: number
}

/**
 * How often each sender may be heard, or how many bytes of it: `burst` at once, and `perSecond` on and on. One that goes
 * beyond it takes nothing from the others.
 */
export class Allowance {
  private readonly buckets = new Map<string, Bucket>()

  constructor(
    private readonly options: { perSecond: number; burst: number },
    /** Milliseconds that only rise. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** False when the sender has used up what it may. */
  take(sender: string, amount = 1): boolean {
    const { perSecond, burst } = this.options
    const now = this.now()
    const bucket = this.buckets.get(sender) ?? { left: burst, at: now }
    const left = Math.min(burst, bucket.left + ((now - bucket.at) / 1_000) * perSecond)
    // Last in the map: the first is then the one that was quiet longest.
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
