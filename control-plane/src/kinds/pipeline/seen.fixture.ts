import { environmentPhases } from '@hearth/contract'
import fc from 'fast-check'
import type { SeenMachine } from './seen.decide.ts'

export const now = new Date('2026-11-30T12:00:00Z')

/** A machine of a pipeline with which all is well. */
export const runningMachine: SeenMachine = {
  name: 'pipeline-1',
  phase: 'running',
  isGoing: false,
  isSilent: false,
  runner: 'rack-1',
  failure: null,
  placement: null,
}

/** Up to a minute before or after now. */
export const anyTime = fc
  .integer({ min: -60, max: 60 })
  .map((seconds) => new Date(now.getTime() + seconds * 1000))

export const anyMachine: fc.Arbitrary<SeenMachine> = fc.record({
  name: fc.constant('machine'),
  phase: fc.constantFrom(...environmentPhases),
  isGoing: fc.boolean(),
  isSilent: fc.boolean(),
  runner: fc.constant('rack-1'),
  failure: fc.constant(null),
  placement: fc.constant(null),
})
