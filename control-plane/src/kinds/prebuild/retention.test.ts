import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tooMany } from './retention.ts'

const of = (...failedBoots: number[]) =>
  failedBoots.map((count, position) => ({ position, failedBoots: count }))

test('the oldest go when there are more than are kept', () => {
  expect(tooMany(of(0, 0, 0), 3)).toEqual([])
  expect(tooMany(of(0, 0, 0, 0, 0), 3).map(({ position }) => position)).toEqual([3, 4])
})

test('a good one stays, however old, while no newer one is good', () => {
  expect(tooMany(of(3, 3, 3, 0, 0), 3).map(({ position }) => position)).toEqual([4])
})

test('whatever there is, the newest good one stays, and at most one more than are kept', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 })), fc.integer({ min: 1, max: 5 }), (counts, keep) => {
      const all = of(...counts)
      const left = all.filter((one) => !tooMany(all, keep).includes(one))
      expect(left.length).toBeLessThanOrEqual(keep + 1)
      const good = all.find(({ failedBoots }) => failedBoots < 3)
      if (good !== undefined) expect(left).toContain(good)
    }),
  )
})
