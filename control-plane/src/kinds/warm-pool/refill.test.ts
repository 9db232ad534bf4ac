import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bootsAllowed, type SeenRefill } from './refill.ts'

const refill = (change: Partial<SeenRefill>) =>
  bootsAllowed({ poolId: 'own', bootSlots: [2, 2], boots: [], fillingPools: 1, ...change })

test('a pool orders two boots for each slot, and no more until one has ended', () => {
  expect(refill({})).toBe(8)
  expect(refill({ boots: [{ poolId: 'own', count: 7 }] })).toBe(1)
  expect(refill({ boots: [{ poolId: 'own', count: 8 }] })).toBe(0)
})

test('boots that somebody waits for come first', () => {
  expect(refill({ boots: [{ poolId: null, count: 6 }] })).toBe(2)
  expect(refill({ boots: [{ poolId: null, count: 9 }] })).toBe(0)
})

test('pools that fill at once share the slots, and each comes to its turn', () => {
  const others = { poolId: 'other', count: 8 }
  expect(refill({ fillingPools: 2 })).toBe(4)
  expect(refill({ fillingPools: 2, boots: [others] })).toBe(1)
  expect(refill({ fillingPools: 2, boots: [others, { poolId: 'own', count: 1 }] })).toBe(0)
})

test('where an agent does not say, or there is none, all are ordered: they wait in line with the reason', () => {
  expect(refill({ bootSlots: [2, null] })).toBe(Number.POSITIVE_INFINITY)
  expect(refill({ bootSlots: [] })).toBe(Number.POSITIVE_INFINITY)
})

test('whatever is being booted, pools order no more than the slots take but one each, and none while others wait', () => {
  const count = fc.nat(30)
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 5 }),
      fc.record({ awaited: count, own: count, other: count, fillingPools: fc.integer({ min: 1, max: 4 }) }),
      (bootSlots, { awaited, own, other, fillingPools }) => {
        const boots = [
          { poolId: null, count: awaited },
          { poolId: 'own', count: own },
          { poolId: 'other', count: other },
        ]
        const allowed = refill({ bootSlots, boots, fillingPools })
        const tokens = 2 * bootSlots.reduce((sum, slots) => sum + slots, 0)
        expect(allowed).toBeGreaterThanOrEqual(0)
        if (awaited >= tokens) expect(allowed).toBe(0)
        else if (own === 0) expect(allowed).toBeGreaterThanOrEqual(1)
        if (allowed > 1) expect(awaited + own + other + allowed).toBeLessThanOrEqual(tokens)
      },
    ),
  )
})
