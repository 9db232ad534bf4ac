import { bindingPhases, claimPhaseSchema, environmentPhases, waitForSchema } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type SeenClaim } from './decide.ts'

const anyMachine = fc.record({
  phase: fc.constantFrom(...environmentPhases),
  desiredPhase: fc.constantFrom(
    'running' as const,
    'stopped' as const,
    'suspended' as const,
    'deleted' as const,
  ),
  failure: fc.option(fc.constant({ code: 'command_failed' as const, message: 'make exited with 2' })),
  unreachable: fc.boolean(),
  everReady: fc.boolean(),
})
const anyBinding = fc.record({
  phase: fc.constantFrom(...bindingPhases),
  failure: fc.option(fc.constant({ code: 'clone_failed' as const, message: 'no such branch' })),
  waitFor: fc.constantFrom(...waitForSchema.options),
})
const anyClaim: fc.Arbitrary<SeenClaim> = fc.record({
  phase: fc.constantFrom(...claimPhaseSchema.options),
  environment: fc.option(anyMachine),
  onHostLoss: fc.constantFrom('wait' as const, 'recreate' as const),
  binding: fc.option(anyBinding),
})

/** The claim after what was decided; the machine that replaces a lost one waits for a runner. */
function after(seen: SeenClaim): SeenClaim {
  const action = decide(seen)
  switch (action?.do) {
    case undefined:
      return seen
    case 'bind':
      return { ...seen, phase: 'bound' }
    case 'fail':
      return { ...seen, phase: 'failed' }
    case 'release':
      return { ...seen, phase: 'released' }
    case 'replace': {
      const fresh = { phase: 'pending' as const, desiredPhase: 'running' as const, failure: null }
      const binding = seen.binding && { ...seen.binding, phase: 'pending' as const, failure: null }
      const environment = { ...fresh, unreachable: false, everReady: false }
      return { ...seen, phase: 'pending', environment, binding }
    }
  }
}

test('from every state at most two decisions lead to one that holds until the machine changes', () => {
  fc.assert(
    fc.property(anyClaim, (claim) => {
      const settled = after(after(claim))
      expect(decide(settled)).toBeNull()
      expect(after(settled)).toEqual(settled)
    }),
    { numRuns: 1_000 },
  )
})

test('a released claim stays released, and one whose machine is gone does not stay bound', () => {
  fc.assert(
    fc.property(anyClaim, (claim) => {
      if (claim.phase === 'released') expect(decide(claim)).toBeNull()
      const gone = claim.environment === null || claim.environment.phase === 'deleted'
      if (gone) expect(['failed', 'released']).toContain(after(claim).phase)
    }),
  )
})

test('only a running machine binds, every failure says why, and no work that may be waited for is replaced', () => {
  fc.assert(
    fc.property(anyClaim, (claim) => {
      const action = decide(claim)
      if (action?.do === 'bind') expect(claim.environment?.phase).toBe('running')
      if (action?.do === 'bind' && claim.binding !== null) {
        expect(claim.binding.phase).not.toBe('failed')
        if (claim.binding.waitFor === 'bound') expect(claim.binding.phase).toBe('bound')
      }
      if (action?.do === 'fail') expect(action.failure.message).not.toBe('')
      if (action?.do !== 'replace') return
      expect(claim.environment?.unreachable).toBe(true)
      expect(claim.onHostLoss === 'recreate' || claim.environment?.everReady === false).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})
