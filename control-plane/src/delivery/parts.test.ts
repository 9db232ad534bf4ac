import fc from 'fast-check'
import { expect, test } from 'vitest'
import { partsOf } from './parts.ts'

test('parts contain every item in order, and exceed the size only with a single item', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 30 }), (sizes, mostBytes) => {
      const parts = partsOf(sizes, (size) => size, mostBytes)
      expect(parts.flat()).toEqual(sizes)
      for (const part of parts) {
        expect(part.length).toBeGreaterThan(0)
        if (part.length > 1) expect(part.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(mostBytes)
      }
    }),
  )
})

test('items that fit together are one part', () => {
  expect(partsOf([1, 2, 3], (size) => size, 6)).toEqual([[1, 2, 3]])
})
