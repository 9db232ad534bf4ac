import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gapAfter } from './follow.ts'

test('a gap is reported exactly if events after the position are gone, or the log never reached the position', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.nat(100), (removed, kept, asked) => {
      const newest = removed + kept
      const gap = gapAfter(asked, { oldest: removed + 1, newest })
      expect(gap !== null).toBe(asked < removed || asked > newest)
      // An observer that continues at the given position meets no second gap.
      if (gap !== null) expect(gapAfter(gap.position, { oldest: removed + 1, newest })).toBeNull()
    }),
  )
})
