import fc from 'fast-check'
import { expect, test } from 'vitest'
import { burstWithin, claimsWithin, type Demand, noDemand, recounted, spanOf } from './demand.ts'
import { poissonQuantile } from './poisson.ts'
import { type ScaleState, type SeenDemand, scale } from './scale.ts'

const start = Date.parse('2026-01-01T12:00:00Z')
const at = (seconds: number) => new Date(start + seconds * 1_000)

function demandOf(seconds: readonly number[], now: Date): Demand {
  const counted = new Map<number, number>()
  for (const each of seconds) {
    const span = spanOf(at(each).getTime())
    counted.set(span, (counted.get(span) ?? 0) + 1)
  }
  return recounted(noDemand(now), [...counted], now)
}

function seen(change: Partial<SeenDemand>): SeenDemand {
  return {
    demand: noDemand(at(0)),
    bounds: { min: 2, max: 40 },
    wantedShare: 0.99,
    refillMilliseconds: 20_000,
    before: null,
    now: at(0),
    ...change,
  }
}

test('without claims it is as small as it may be', () => {
  const { state, scaling } = scale(seen({}))
  expect(state).toEqual({ size: 2, fewerSince: null })
  expect(scaling.reason).toMatch(/min is 2/)
})

test('it grows at once with the claims, up to max', () => {
  const claims = Array.from({ length: 300 }, (_, index) => -300 + index)
  const now = at(0)
  const demand = demandOf(claims, now)
  // 20 are expected within one refill, and with 99 % no more than 31.
  expect(poissonQuantile(20, 0.99)).toBe(31)
  const before = { size: 2, fewerSince: null }
  const { size } = scale(seen({ demand, now, before })).state
  expect(size).toBeGreaterThanOrEqual(31)
  expect(size).toBeLessThanOrEqual(35)
  const limited = scale(seen({ demand, now, before, bounds: { min: 2, max: 10 } }))
  expect(limited.state.size).toBe(10)
  expect(limited.scaling.reason).toMatch(/max is 10/)
})

test('a burst is remembered for an hour, and let go ten minutes after', () => {
  const burst = Array.from({ length: 12 }, () => 0)
  let before: ScaleState | null = null
  const sizeAt = (seconds: number): number => {
    const now = at(seconds)
    before = scale(seen({ demand: demandOf(burst, now), now, before })).state
    return before.size
  }
  expect(sizeAt(1)).toBe(12)
  expect(sizeAt(3_500)).toBe(12)
  expect(sizeAt(3_700)).toBe(12)
  expect(sizeAt(4_200)).toBe(12)
  expect(sizeAt(4_301)).toBe(2)
})

test('a pool of twenty under the claims it was made for hardly changes its size', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = generator(seed)
      const claims: number[] = []
      // Half a claim a second: ten within one refill of 20 s.
      for (let time = -600; time < 600; time += -Math.log(1 - random()) * 2) claims.push(time)
      let before: ScaleState | null = null
      let changes = 0
      for (let second = 0; second < 600; second += 2) {
        const now = at(second)
        const demand = demandOf(
          claims.filter((time) => time <= second),
          now,
        )
        const { state } = scale(seen({ demand, now, before, bounds: { min: 5, max: 40 } }))
        if (before !== null && state.size !== before.size) changes += 1
        before = state
      }
      expect(changes).toBeLessThan(10)
    }),
    { numRuns: 20 },
  )
})

test('the size is between its bounds, whatever was claimed, and the same for the same', () => {
  const anySpans = fc.array(fc.tuple(fc.integer({ min: -400, max: 0 }), fc.integer({ min: 1, max: 500 })))
  fc.assert(
    fc.property(anySpans, fc.nat(20), fc.nat(60), fc.nat(100), (spans, min, more, size) => {
      const now = at(0)
      const counted = spans.map(([span, claims]) => [spanOf(start + span * 10_000), claims] as const)
      const demand = recounted(noDemand(now), counted, now)
      const bounds = { min, max: min + more }
      const given = seen({ demand, now, bounds, before: { size, fewerSince: null } })
      const decision = scale(given)
      expect(decision.state.size).toBeGreaterThanOrEqual(min)
      expect(decision.state.size).toBeLessThanOrEqual(min + more)
      expect(scale(given)).toEqual(decision)
    }),
  )
})

test('open spans are counted again and not twice, and old ones are forgotten', () => {
  const first = recounted(noDemand(at(0)), [[spanOf(start - 5_000), 3]], at(0))
  const second = recounted(first, [[spanOf(start - 5_000), 5]], at(5))
  expect(claimsWithin(second, start - 60_000, start + 60_000)).toBe(5)
  expect(burstWithin(second, 1_000)).toBe(5)
  expect(recounted(second, [], at(3_700)).spans).toEqual([])
})

/** A repeatable source of chance, from 0 to below 1. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
