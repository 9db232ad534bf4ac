import {
  claimPhaseSchema,
  desiredPhaseSchema,
  environmentPhases,
  type Failure,
  onHostLossSchema,
} from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ClaimedMachine, decide, type SeenClaim } from './decide.ts'

const failure: Failure = { code: 'clone_failed', message: 'no such repository' }
const machine = (
  phase: (typeof environmentPhases)[number],
  change: Partial<ClaimedMachine> = {},
): ClaimedMachine => ({
  phase,
  desiredPhase: 'running',
  failure: phase === 'failed' ? failure : null,
  unreachable: false,
  everReady: phase !== 'provisioning',
  ...change,
})
const claim = (
  phase: SeenClaim['phase'],
  environment: ClaimedMachine | null,
  onHostLoss: SeenClaim['onHostLoss'] = 'wait',
) => decide({ phase, environment, onHostLoss })

test('a pending claim is bound when its machine runs and fails with the machine’s cause', () => {
  expect(claim('pending', machine('provisioning'))).toBeNull()
  expect(claim('pending', machine('running'))).toEqual({ do: 'bind' })
  expect(claim('pending', machine('failed'))).toEqual({ do: 'fail', failure })
  expect(claim('pending', machine('deleted'))).toMatchObject({ do: 'fail' })
})

test('a claim ends with its machine, and one that has ended stays so', () => {
  expect(claim('bound', machine('deleted'))).toEqual({ do: 'release' })
  expect(claim('bound', null)).toEqual({ do: 'release' })
  for (const phase of environmentPhases)
    expect(claim('released', machine(phase, { unreachable: true }), 'recreate')).toBeNull()
})

test('a machine that someone may have work on waits for its lost host, unless the project says recreate', () => {
  const lost = machine('running', { unreachable: true })
  expect(claim('bound', lost, 'wait')).toBeNull()
  expect(claim('bound', lost, 'recreate')).toEqual({ do: 'replace' })
})

test('a machine that was never ready is made elsewhere whatever the project says', () => {
  const lost = machine('provisioning', { unreachable: true })
  expect(claim('pending', lost, 'wait')).toEqual({ do: 'replace' })
  expect(claim('pending', machine('pending', { unreachable: true }), 'recreate')).toBeNull()
})

test('what its claimant stopped or gave back is not made anew', () => {
  const given = { unreachable: true }
  expect(claim('bound', machine('running', { ...given, desiredPhase: 'deleted' }), 'recreate')).toBeNull()
  expect(claim('bound', machine('stopped', { ...given, desiredPhase: 'stopped' }), 'recreate')).toBeNull()
})

const anyClaim = fc.record({
  phase: fc.constantFrom(...claimPhaseSchema.options),
  onHostLoss: fc.constantFrom(...onHostLossSchema.options),
  environment: fc.option(
    fc.record({
      phase: fc.constantFrom(...environmentPhases),
      desiredPhase: fc.constantFrom(...desiredPhaseSchema.options),
      failure: fc.constantFrom(null, failure),
      unreachable: fc.boolean(),
      everReady: fc.boolean(),
    }),
  ),
})

test('a machine that answers is taken from no claim before it is deleted', () => {
  fc.assert(
    fc.property(anyClaim, (seen) => {
      const action = decide(seen)
      if (action?.do === 'replace') expect(seen.environment?.unreachable).toBe(true)
      if (action?.do === 'release') expect(seen.environment?.phase ?? 'deleted').toBe('deleted')
    }),
  )
})
