import { noDemand, recounted, type ScaleState, scale, spanOf } from '@hearth/control-plane'
import { repeatableRandom } from '@hearth/testing'
import type { Row } from './table.ts'
import { note } from './usage.ts'

const bounds = { min: 5, max: 40 }
const refillMilliseconds = 20_000
/** Of 100 refills 99 see at most 20 of these claims: a pool of 20 is the size for them. */
const claimsPerSecond = 0.58
const warmUpSeconds = 300
const seconds = 600
const seed = 20
const otherSeeds = Array.from({ length: 10 }, (_, index) => index + 1)

/**
 * A pool under a load for which 20 are the size, in simulated time: the decisions are the shipped ones, a machine is ready
 * one refill after it was ordered, and the pool is looked at at each claim and each second.
 */
export function benchSizedPool(): Row[] {
  const { claims, cold, changes } = simulate(seed)
  note(`${claims} claims in ${seconds} simulated seconds, ${refillMilliseconds / 1000} s for a refill`)
  const others = otherSeeds.map(simulate)
  const sum = (of: 'claims' | 'cold') => others.reduce((total, each) => total + each[of], 0)
  note(`with ${otherSeeds.length} other seeds, ${sum('cold')} cold of ${sum('claims')} claims`)
  const counted = { floor: null, unit: '' }
  return [
    { measure: 'sized pool of 20, cold starts after warm-up', hearth: cold, most: 0, ...counted },
    { measure: 'sized pool of 20, changes of desiredSize', hearth: changes, most: 9, ...counted },
  ]
}

function simulate(seed: number): { claims: number; cold: number; changes: number } {
  const random = repeatableRandom(seed)
  const start = Date.parse('2026-01-01T00:00:00Z')
  let state: ScaleState | null = null
  let demand = noDemand(new Date(start))
  let ready = bounds.min
  let claims = 0
  let [cold, changes] = [0, 0]
  const orders: number[] = []
  const spans = new Map<number, number>()
  const look = (at: number, measured: boolean) => {
    const now = new Date(start + at)
    const counted = [...spans].filter(([from]) => from >= demand.openFrom)
    demand = recounted(demand, counted, now)
    const before: ScaleState | null = state
    ;({ state } = scale({ demand, bounds, wantedShare: 0.99, refillMilliseconds, before, now }))
    if (measured && before !== null && before.size !== state.size) changes += 1
    for (let missing = state.size - ready - orders.length; missing > 0; missing -= 1)
      orders.push(at + refillMilliseconds)
  }
  let nextClaim = 0
  const end = (warmUpSeconds + seconds) * 1_000
  for (let at = 0; at < end; ) {
    const second = Math.floor(at / 1_000) * 1_000 + 1_000
    at = Math.min(second, nextClaim, orders[0] ?? end)
    const measured = at >= warmUpSeconds * 1_000
    while ((orders[0] ?? end) <= at) {
      orders.shift()
      ready += 1
    }
    if (at >= nextClaim) {
      const span = spanOf(start + at)
      spans.set(span, (spans.get(span) ?? 0) + 1)
      if (measured) claims += 1
      if (ready > 0) ready -= 1
      else if (measured) cold += 1
      nextClaim = at + (-Math.log(1 - random.next()) / claimsPerSecond) * 1_000
    }
    look(at, measured)
  }
  return { claims, cold, changes }
}
