import { environmentPhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultOf } from './seen.decide.ts'

const machine = fc.record({
  name: fc.constant('machine'),
  phase: fc.constantFrom(...environmentPhases),
  isGoing: fc.boolean(),
  isSilent: fc.boolean(),
  runner: fc.constant('rack-1'),
  failure: fc.constant(null),
  placement: fc.constant(null),
})

test('what has no fault may still run, and silence makes none', () => {
  fc.assert(
    fc.property(machine, (seen) => {
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
