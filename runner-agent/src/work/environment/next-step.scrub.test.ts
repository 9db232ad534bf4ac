import { samplePlan } from '@hearth/testing'
import { expect, test } from 'vitest'
import type { Power } from '../../host/machine.ts'
import { type NextStep, nextStep } from './next-step.ts'
import { type EnvironmentRecord, newRecord } from './record.ts'

const runnerId = 'runner-1'
const wanted = (scrub: boolean, generation = 2) =>
  ({ desiredPhase: 'stopped', epoch: 1, generation, runnerId, source: null, scrub }) as const
const machine = (power: Power) => ({
  power,
  endReason: null,
  hostBootId: 'first',
  ownership: { owner: runnerId, environmentId: 'e', epoch: 1, generation: 3, createdAt: '' },
})
const record = (change: Partial<EnvironmentRecord>) => ({ ...newRecord(1, samplePlan({})), ...change })
const failure = { code: 'guest_misbehaved', message: 'it could not be scrubbed' } as const

test.each<[string, boolean, Power, Partial<EnvironmentRecord>, Partial<NextStep>]>([
  ['a guest that is to be scrubbed is, before it stops', true, 'running', {}, { kind: 'scrub' }],
  ['a scrubbed guest stops', true, 'running', { isScrubbed: true }, { kind: 'stop' }],
  ['and is stopped', true, 'shut_off', { isScrubbed: true }, { kind: 'rest', phase: 'stopped' }],
  ['one that ended before has failed', true, 'shut_off', {}, { kind: 'fail' }],
  [
    'one that could not be scrubbed stays failed',
    true,
    'running',
    { failure, failedGeneration: 3 },
    { kind: 'rest', phase: 'failed', failure },
  ],
  ['others stop at once', false, 'running', {}, { kind: 'stop' }],
])('%s', (_, scrub, power, change, step) => {
  expect(nextStep(wanted(scrub, 3), { machine: machine(power), record: record(change) })).toMatchObject(step)
})
