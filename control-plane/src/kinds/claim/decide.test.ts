import { claimPhaseSchema, environmentPhases, type Failure } from '@hearth/contract'
import { expect, test } from 'vitest'
import { decide } from './decide.ts'

const failure: Failure = { code: 'clone_failed', message: 'no such repository' }
const machine = (phase: (typeof environmentPhases)[number]) => ({
  phase,
  failure: phase === 'failed' ? failure : null,
})

test('a pending claim is bound when its machine runs and fails with the machine’s cause', () => {
  expect(decide({ phase: 'pending', environment: machine('provisioning') })).toBeNull()
  expect(decide({ phase: 'pending', environment: machine('running') })).toEqual({ do: 'bind' })
  expect(decide({ phase: 'pending', environment: machine('failed') })).toEqual({ do: 'fail', failure })
  expect(decide({ phase: 'pending', environment: machine('deleted') })).toMatchObject({ do: 'fail' })
})

test('a claim ends with its machine, and one that has ended stays so', () => {
  expect(decide({ phase: 'bound', environment: machine('deleted') })).toEqual({ do: 'release' })
  expect(decide({ phase: 'bound', environment: null })).toEqual({ do: 'release' })
  for (const phase of environmentPhases)
    expect(decide({ phase: 'released', environment: machine(phase) })).toBeNull()
})

test('nothing that befalls a machine short of its deletion takes it from its claim', () => {
  for (const phase of environmentPhases.filter((one) => one !== 'deleted')) {
    expect(decide({ phase: 'bound', environment: machine(phase) })).toBeNull()
  }
})

test('every pair of phases is judged', () => {
  for (const claim of claimPhaseSchema.options) {
    for (const phase of environmentPhases)
      expect(() => decide({ phase: claim, environment: machine(phase) })).not.toThrow()
  }
})
