import { boundsAt, mostNamedMisses, type PoolSimulation } from '@hearth/contract'
import { type Demand, noDemand, recounted, spanOf } from '../scale/demand.ts'
import { type ScaleState, scale } from '../scale/scale.ts'
import type { PoolSpec } from '../table.ts'
import { type BootTimes, SimulatedMachines } from './machines.ts'

export interface SimulatedPool {
  spec: Pick<PoolSpec, 'min' | 'max' | 'running' | 'rest' | 'wantedShare' | 'schedules'>
  /** When claims come, the earliest first: milliseconds since 1970. */
  claims: readonly number[]
  fallback: 'cold' | 'refuse'
  times: BootTimes & { wakeMilliseconds: number }
  size: { memoryMebibytes: number; diskGibibytes: number }
}

/** As a pool is woken after a claim, and by itself. */
const afterClaimMilliseconds = 100
const restMilliseconds = 60_000
const hour = 3_600_000

/**
 * What a setting would have cost and missed for these claims: the pool's own decisions about its size, with machines that boot and wake in
 * the given times. Yields now and then, so that whoever runs it can let others run; the last value is the result.
 */
export function* simulate(pool: SimulatedPool): Generator<undefined, Omit<PoolSimulation, 'assumed'>> {
  const run = new Simulation(pool)
  for (let event = 1; run.advance(); event++) if (event % 50 === 0 || run.hasReckonedTimes) yield undefined
  return run.result()
}

class Simulation {
  private readonly machines: SimulatedMachines
  private now: number
  private nextClaim = 0
  private nextLook: number
  private demand: Demand
  private state: ScaleState | null = null
  private readonly met = { running: 0, resting: 0, missed: 0 }
  private readonly misses: number[] = []
  private readonly sizes = { least: Number.POSITIVE_INFINITY, most: 0, changes: -1 }
  private lastSize: number | null = null
  private bounds: ReturnType<typeof boundsAt> | null = null
  /** Whether the times of schedules were reckoned with in the last step: that takes as long as many steps without. */
  hasReckonedTimes = false
  private readonly spent = { running: 0, resting: 0 }

  constructor(private readonly pool: SimulatedPool) {
    this.now = pool.claims[0] ?? 0
    this.nextLook = this.now + restMilliseconds
    this.demand = noDemand(new Date(this.now))
    const { size, running } = this.wanted()
    this.machines = new SimulatedMachines(pool.times, { ready: running, resting: size - running })
  }

  /** Goes on to the next thing that happens; false when the last claim has come. */
  advance(): boolean {
    const claim = this.pool.claims[this.nextClaim]
    if (claim === undefined) return false
    this.hasReckonedTimes = false
    const next = Math.min(claim, this.nextLook, this.machines.nextEnd)
    this.spend(next - this.now)
    this.now = next
    const isEnd = this.machines.nextEnd <= next
    this.machines.endUntil(next)
    if (claim <= next) this.claim()
    if (isEnd || this.nextLook <= next) this.look()
    return true
  }

  result(): Omit<PoolSimulation, 'assumed'> {
    const { claims, size, spec } = this.pool
    const { running, resting } = this.spent
    const kept = spec.rest === 'suspended' ? size.memoryMebibytes / 1024 : 0
    const time = (milliseconds: number) => new Date(milliseconds).toISOString()
    const { least, most, changes } = this.sizes
    return {
      from: time(claims[0] ?? 0),
      until: time(claims.at(-1) ?? 0),
      claims: claims.length,
      met: this.met,
      misses: this.misses.map(time),
      sizes: { least: Math.min(least, most), most, changes: Math.max(0, changes) },
      cost: {
        runningHours: rounded(running / hour),
        restingHours: rounded(resting / hour),
        memoryGibibyteHours: rounded((running * size.memoryMebibytes) / 1024 / hour),
        diskGibibyteHours: rounded(((running + resting) * size.diskGibibytes + resting * kept) / hour),
      },
    }
  }

  private spend(milliseconds: number): void {
    const { ready, resting, waking, booting } = this.machines
    this.spent.running += milliseconds * (ready + waking.length + booting.length)
    this.spent.resting += milliseconds * resting
  }

  private claim(): void {
    this.nextClaim += 1
    const { machines, now } = this
    if (machines.ready > 0) {
      machines.ready -= 1
      this.met.running += 1
    } else if (machines.resting > 0 || this.pool.spec.rest === 'resumable') {
      machines.resting = Math.max(0, machines.resting - 1)
      this.met.resting += 1
    } else {
      this.met.missed += 1
      if (this.misses.length < mostNamedMisses) this.misses.push(now)
      if (this.pool.fallback === 'cold') machines.orderForClaim(now)
    }
    this.nextLook = Math.min(this.nextLook, now + afterClaimMilliseconds)
  }

  /** What a reconcile of the pool does. */
  private look(): void {
    const { machines, now } = this
    const { size, running } = this.wanted()
    this.nextLook = now + restMilliseconds
    let surplus = machines.members - size
    if (surplus < 0) machines.order(-surplus, now)
    else {
      surplus -= machines.cancel(surplus)
      const fromResting = Math.min(surplus, machines.resting)
      machines.resting -= fromResting
      machines.ready -= Math.min(machines.ready, surplus - fromResting)
    }
    const lacking = running - machines.ready - machines.waking.length
    if (lacking > 0) machines.wake(lacking, now + this.pool.times.wakeMilliseconds)
    const spare = Math.max(0, machines.ready - running)
    machines.ready -= spare
    machines.resting += spare
  }

  private wanted(): { size: number; running: number } {
    const { spec, times } = this.pool
    const now = new Date(this.now)
    const bounds = this.boundsAt(now)
    let size = bounds.min
    if (bounds.max > bounds.min) {
      this.demand = recounted(this.demand, this.countedSince(this.demand.openFrom), now)
      const { wantedShare } = spec
      const refillMilliseconds = Math.max(1_000, times.bootMilliseconds)
      const seen = { demand: this.demand, bounds, wantedShare, refillMilliseconds, before: this.state, now }
      this.state = scale(seen).state
      size = this.state.size
    }
    if (size !== this.lastSize) this.sizes.changes += 1
    this.lastSize = size
    this.sizes.least = Math.min(this.sizes.least, size)
    this.sizes.most = Math.max(this.sizes.most, size)
    const runs = Math.min(bounds.running ?? size, size)
    // What rests as a memory to start from is no machine.
    return { size: spec.rest === 'resumable' ? runs : size, running: runs }
  }

  private boundsAt(now: Date): ReturnType<typeof boundsAt> {
    if (this.bounds !== null && (this.bounds.until === null || now < this.bounds.until)) return this.bounds
    const { min, max, running, schedules } = this.pool.spec
    this.bounds = boundsAt({ min, max: max ?? min, running }, schedules, now)
    this.hasReckonedTimes = schedules.length > 0
    return this.bounds
  }

  /** The claims so far since a time, by their spans. */
  private countedSince(from: number): [from: number, claims: number][] {
    const sums = new Map<number, number>()
    for (let index = this.nextClaim - 1; index >= 0; index--) {
      const at = this.pool.claims[index] ?? 0
      if (at < from) break
      sums.set(spanOf(at), (sums.get(spanOf(at)) ?? 0) + 1)
    }
    return [...sums]
  }
}

const rounded = (value: number) => Math.round(value * 1_000) / 1_000
