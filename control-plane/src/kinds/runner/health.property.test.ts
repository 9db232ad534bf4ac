import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type SeenHealth } from './health.decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const minute = 60_000
const anySight: fc.Arbitrary<SeenHealth> = fc.record({
  health: fc.constant(null),
  boots: fc
    .array(
      fc.record({
        environmentId: fc.constantFrom('a', 'b', 'c'),
        configuration: fc.constantFrom('one', 'two'),
        ready: fc.boolean(),
        at: fc.integer({ min: -100, max: 0 }).map((minutes) => new Date(now.getTime() + minutes * minute)),
        message: fc.constant('make exited with 2'),
      }),
      { maxLength: 14 },
    )
    .map((boots) => boots.sort((a, b) => b.at.getTime() - a.at.getTime())),
  elsewhere: fc
    .dictionary(fc.constantFrom('one', 'two'), fc.record({ ready: fc.nat(2), failed: fc.nat(2) }))
    .map((known) => new Map(Object.entries(known))),
  probePauseMilliseconds: fc.constant(5 * minute),
  now: fc.constant(now),
})

test('the same input gives the same judgement, and judging again changes nothing', () => {
  fc.assert(
    fc.property(anySight, (seen) => {
      const first = decide(seen)
      const second = decide({ ...seen, health: first })
      expect(decide({ ...seen, health: second })).toEqual(second)
    }),
    { numRuns: 500 },
  )
})

test('a host leaves placement only because of its own failures, and then has a time for a probe', () => {
  fc.assert(
    fc.property(anySight, (seen) => {
      const health = decide(seen)
      if (health?.degradedSince == null) return
      expect(seen.boots.filter(({ ready }) => !ready).length).toBeGreaterThanOrEqual(3)
      expect(Date.parse(health.probeAt ?? '')).toBeGreaterThan(now.getTime())
      expect(health.lastFailure?.message).toBe('make exited with 2')
      const faulty = new Map(['one', 'two'].map((name) => [name, { ready: 0, failed: 1 }]))
      const cameUp = seen.boots.some(({ ready }) => ready)
      if (!cameUp) expect(decide({ ...seen, elsewhere: faulty })?.degradedSince ?? null).toBeNull()
    }),
    { numRuns: 1_000 },
  )
})

test('one successful boot restores a degraded host', () => {
  fc.assert(
    fc.property(anySight, fc.integer({ min: 1, max: 60 }), (seen, minutes) => {
      const health = decide(seen)
      fc.pre(health !== null && health.degradedSince !== null)
      const at = new Date(now.getTime() + minutes * minute)
      const success = { environmentId: 'd', configuration: 'one', ready: true, at, message: '' }
      const after = decide({ ...seen, health, boots: [success, ...seen.boots], now: at })
      expect(after).toMatchObject({ degradedSince: null, probeAt: null, restoredAt: at.toISOString() })
    }),
    { numRuns: 500 },
  )
})
