import {
  claimPhaseSchema,
  desiredPhaseSchema,
  environmentPhases,
  type Failure,
  onHostLossSchema,
} from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ClaimedBinding, type ClaimedMachine, decide, type SeenClaim } from './decide.ts'

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
  binding: ClaimedBinding | null = null,
) => decide({ phase, environment, onHostLoss, binding })

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

test('a claim waits for what it asked to be bound, or for no more than the address, as it says', () => {
  const bind = (
    phase: SeenClaim['phase'],
    binding: ClaimedBinding['phase'],
    waitFor: ClaimedBinding['waitFor'] = 'bound',
  ) => claim(phase, machine('running'), 'wait', { phase: binding, failure: null, waitFor })
  for (const phase of ['pending', 'running'] as const) {
    expect(bind('pending', phase)).toBeNull()
    expect(bind('failed', phase)).toBeNull()
    expect(bind('pending', phase, 'address')).toEqual({ do: 'bind' })
    expect(bind('bound', phase, 'address')).toBeNull()
  }
  expect(bind('pending', 'bound')).toEqual({ do: 'bind' })
  expect(bind('failed', 'bound')).toEqual({ do: 'bind' })
  for (const waitFor of ['address', 'bound'] as const) {
    expect(bind('pending', 'failed', waitFor)).toMatchObject({ do: 'fail' })
    expect(bind('bound', 'failed', waitFor)).toMatchObject({ do: 'fail' })
    expect(bind('failed', 'failed', waitFor)).toBeNull()
  }
})

const anyClaim = fc.record({
  binding: fc.constant(null),
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
