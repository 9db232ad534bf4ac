import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultOf } from './seen.decide.ts'
import { anyMachine } from './seen.fixture.ts'

test('what has no fault may still run, and silence makes none', () => {
  fc.assert(
    fc.property(anyMachine, (seen) => {
      const fault = faultOf(seen)
      if (fault === null) {
        expect(seen.isGoing).toBe(false)
        expect(['failed', 'deleting', 'deleted']).not.toContain(seen.phase)
      }
      if (faultOf({ ...seen, isSilent: false }) === null)
        expect(faultOf({ ...seen, isSilent: true })).toBeNull()
    }),
  )
})
