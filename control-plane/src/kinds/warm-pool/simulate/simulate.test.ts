import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SimulatedPool, simulate } from './simulate.ts'

const start = Date.parse('2026-01-01T12:00:00Z')
const at = (...seconds: number[]) => seconds.map((second) => start + second * 1_000)

type Change = Partial<Omit<SimulatedPool, 'spec' | 'times'>> & {
  spec?: Partial<SimulatedPool['spec']>
  times?: Partial<SimulatedPool['times']>
}
function sample({ spec, times, ...change }: Change): SimulatedPool {
  return {
    claims: at(0),
    fallback: 'refuse',
    size: { memoryMebibytes: 2_048, diskGibibytes: 10 },
    ...change,
    spec: { min: 2, max: null, running: null, rest: 'suspended', wantedShare: 0.99, schedules: [], ...spec },
    times: {
      bootMilliseconds: 10_000,
      slotMilliseconds: 10_000,
      bootSlots: null,
      wakeMilliseconds: 1_000,
      ...times,
    },
  }
}
function run(change: Change) {
  const steps = simulate(sample(change))
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
const seconds = (times: readonly string[]) => times.map((time) => (Date.parse(time) - start) / 1_000)

test('claims beyond those that are ready miss, until others have booted', () => {
  const result = run({ claims: at(0, 1, 2, 5, 9, 10.5, 11.5) })
  expect(result.met).toEqual({ running: 4, resting: 0, missed: 3 })
  expect(seconds(result.misses)).toEqual([2, 5, 9])
})

test('with one boot slot the second machine comes after the first', () => {
  const result = run({ claims: at(0, 1, 11, 12, 21), times: { bootSlots: 1 } })
  expect(seconds(result.misses)).toEqual([12])
})

test('what is set up after the boot takes no slot', () => {
  const times = { bootSlots: 1, slotMilliseconds: 2_000 }
  expect(seconds(run({ claims: at(0, 1, 11, 11.9, 12.2), times }).misses)).toEqual([11.9])
})

test('a cold claim takes a slot before what the pool has ordered', () => {
  const claims = at(0, 0.5, 1, 11.5, 21.5)
  expect(seconds(run({ claims, times: { bootSlots: 1 } }).misses)).toEqual([1])
  expect(seconds(run({ claims, fallback: 'cold', times: { bootSlots: 1 } }).misses)).toEqual([1, 21.5])
})

test('those at rest are woken, and cost no memory while they rest', () => {
  const claims = at(0, 1, 3_600)
  const all = run({ claims, spec: { min: 4 } })
  const some = run({ claims, spec: { min: 4, running: 1 } })
  expect(all.met).toEqual({ running: 3, resting: 0, missed: 0 })
  expect(some.met).toEqual({ running: 2, resting: 1, missed: 0 })
  expect(all.cost.memoryGibibyteHours).toBeCloseTo(8, 1)
  expect(some.cost.memoryGibibyteHours).toBeCloseTo(2, 1)
  expect(some.cost.restingHours).toBeCloseTo(3, 1)
  const memory = run({ claims, spec: { min: 4, running: 1, rest: 'resumable' } })
  expect(memory.cost.restingHours).toBe(0)
})

test('a pool that follows its claims misses less than one that does not, and becomes larger for it', () => {
  const claims = at(...Array.from({ length: 300 }, (_, index) => index * 2))
  const fixed = run({ claims })
  const following = run({ claims, spec: { max: 20 } })
  expect(following.met.missed).toBeLessThan(fixed.met.missed / 3)
  expect(following.sizes).toMatchObject({ least: 2 })
  expect(following.sizes.most).toBeGreaterThan(5)
})

test('every claim is met, woken or missed, and more members never miss more', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(
      gaps,
      fc.nat(8),
      fc.option(fc.integer({ min: 1, max: 4 })),
      (milliseconds, min, bootSlots) => {
        let now = start
        const claims = milliseconds.map((gap) => {
          now += gap
          return now
        })
        const times = { bootSlots }
        const few = run({ claims, spec: { min }, times })
        const more = run({ claims, spec: { min: min + 1 }, times })
        for (const { met } of [few, more]) expect(met.running + met.resting + met.missed).toBe(claims.length)
        expect(more.met.missed).toBeLessThanOrEqual(few.met.missed)
        expect(few.misses).toHaveLength(few.met.missed)
      },
    ),
  )
})

test('the times of schedules are reckoned with when they change, not in each step, and others may run after each time', () => {
  const days = 31
  const schedules = Array.from({ length: 16 }, (_, hour) => ({
    ...{ cron: `0 ${hour} * * *`, timeZone: 'Europe/Berlin', minutes: 30 },
    min: hour,
  }))
  const claims = at(0, days * 86_400)
  const pool = sample({ claims, spec: { max: 40, schedules } })
  let pauses = 0
  for (const _ of simulate(pool)) pauses += 1
  const looks = days * 1_440
  const changes = days * schedules.length * 2
  expect(pauses).toBeGreaterThan(changes)
  expect(pauses).toBeLessThan(changes + looks / 10)
})
