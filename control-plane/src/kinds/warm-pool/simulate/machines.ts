import { bootsAllowed } from '../refill.ts'

export interface BootTimes {
  /** From the slot to the ready machine. */
  bootMilliseconds: number
  /** How long a boot keeps its slot: what is set up after that needs none. */
  slotMilliseconds: number
  /** Boots at once; null for no bound. */
  bootSlots: number | null
}

/** The machines of a simulated pool, counted by what they do. Times are milliseconds since 1970. */
export class SimulatedMachines {
  ready: number
  resting: number
  /** Members at rest that are being woken: their number, and when each is ready, the earliest first. */
  readonly waking: number[] = []
  /** Boots that have or had a slot: when they end, the earliest first, and whether a claim waits for them. */
  readonly booting: { endsAt: number; isClaimed: boolean }[] = []
  /** When the slots that are taken come free, the earliest first. */
  private readonly slotEnds: number[] = []
  /** Ordered, without a slot yet. */
  ordered = 0
  claimsOrdered = 0
  /** Of those that boot, how many a claim waits for. */
  private claimedBoots = 0

  constructor(
    private readonly times: BootTimes,
    start: { ready: number; resting: number },
  ) {
    this.ready = start.ready
    this.resting = start.resting
  }

  /** Those that the pool has or will have, without those that claims wait for. */
  get members(): number {
    return this.ready + this.resting + this.waking.length + this.ownBoots
  }

  get ownBoots(): number {
    return this.ordered + this.booting.length - this.claimedBoots
  }

  order(count: number, now: number): void {
    const allowed = bootsAllowed({
      poolId: 'pool',
      bootSlots: [this.times.bootSlots],
      boots: [
        { poolId: 'pool', count: this.ownBoots },
        { poolId: null, count: this.claimsOrdered + this.claimedBoots },
      ],
      fillingPools: 1,
    })
    this.ordered += Math.min(count, allowed)
    this.fillSlots(now)
  }

  orderForClaim(now: number): void {
    this.claimsOrdered += 1
    this.fillSlots(now)
  }

  /** Takes so many back that do not boot yet. */
  cancel(count: number): number {
    const cancelled = Math.min(count, this.ordered)
    this.ordered -= cancelled
    return cancelled
  }

  wake(count: number, readyAt: number): void {
    const woken = Math.min(count, this.resting)
    this.resting -= woken
    for (let each = 0; each < woken; each++) this.waking.push(readyAt)
  }

  /** When the next boot, slot or wake ends; infinite where none goes on. */
  get nextEnd(): number {
    const infinite = Number.POSITIVE_INFINITY
    const slot = this.claimsOrdered + this.ordered > 0 ? this.slotEnds[0] : undefined
    return Math.min(this.booting[0]?.endsAt ?? infinite, this.waking[0] ?? infinite, slot ?? infinite)
  }

  /** Ends what is over by now. */
  endUntil(now: number): void {
    while ((this.waking[0] ?? Number.POSITIVE_INFINITY) <= now) {
      this.waking.shift()
      this.ready += 1
    }
    while ((this.slotEnds[0] ?? Number.POSITIVE_INFINITY) <= now) this.slotEnds.shift()
    for (let first = this.booting[0]; first !== undefined && first.endsAt <= now; first = this.booting[0]) {
      this.booting.shift()
      if (first.isClaimed) this.claimedBoots -= 1
      else this.ready += 1
    }
    this.fillSlots(now)
  }

  private fillSlots(now: number): void {
    const slots = this.times.bootSlots ?? Number.POSITIVE_INFINITY
    while (this.slotEnds.length < slots && this.claimsOrdered + this.ordered > 0) {
      const isClaimed = this.claimsOrdered > 0
      if (isClaimed) {
        this.claimsOrdered -= 1
        this.claimedBoots += 1
      } else this.ordered -= 1
      this.slotEnds.push(now + this.times.slotMilliseconds)
      this.booting.push({ endsAt: now + this.times.bootMilliseconds, isClaimed })
    }
  }
}
