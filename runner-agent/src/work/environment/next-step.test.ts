import type { EnvironmentOrder, ProvisioningPlan } from '@hearth/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Machine, Power } from '../../host/host.ts'
import { type NextStep, nextStep, phaseDuring, type Seen, type Wanted } from './next-step.ts'
import { type EnvironmentRecord, firstOpenStep, newRecord } from './record.ts'

const plan: ProvisioningPlan = {
  image: 'debian-12',
  virtualCpus: 1,
  memoryMebibytes: 512,
  diskGibibytes: 1,
  repositories: [{ url: 'https://example.org/shop.git', name: 'shop', branch: null, setup: [] }],
  variables: { A: 'b' },
  secretNames: [],
  projectSetup: [{ name: 'one', command: 'true' }],
  warmPoolSetup: [],
}
const identity = {
  machineId: '',
  hostname: '',
  hostKeyMatches: true,
  randomSeedFresh: true,
  clockOffsetMilliseconds: 0,
  checkedAt: '2026-01-01T00:00:00Z',
}
const runnerId = 'runner-1'
const order = (desiredPhase: EnvironmentOrder['desiredPhase'], generation = 1): Wanted => ({
  desiredPhase,
  generation,
  runnerId,
})
const machine = (power: Power, generation = 1): Pick<Machine, 'power' | 'ownership'> => ({
  power,
  ownership: { owner: runnerId, environmentId: 'e', epoch: 1, generation, createdAt: '' },
})
const absent: Pick<Machine, 'power' | 'ownership'> = { power: 'absent', ownership: null }
const fresh = newRecord(1, plan)
const done = (change: Partial<EnvironmentRecord> = {}): EnvironmentRecord => ({
  ...fresh,
  power: 'running',
  identity,
  steps: fresh.steps.map((step) => ({ ...step, phase: 'succeeded' })),
  ...change,
})
const failed = (change: Partial<EnvironmentRecord> = {}): EnvironmentRecord => ({
  ...fresh,
  power: 'running',
  failure: { code: 'command_failed', message: 'no' },
  failedGeneration: 1,
  ...change,
})

const table: [name: string, wanted: Wanted, seen: Seen, expected: Partial<NextStep>][] = [
  ['nothing there: made', order('running'), { machine: absent, record: null }, { kind: 'create' }],
  [
    'making was cut: made',
    order('running'),
    { machine: machine('absent'), record: fresh },
    { kind: 'create' },
  ],
  ['made: started', order('running'), { machine: machine('shut_off'), record: fresh }, { kind: 'start' }],
  [
    'starting was cut: started',
    order('running'),
    { machine: machine('running'), record: fresh },
    { kind: 'start' },
  ],
  [
    'started: the first open step',
    order('running'),
    { machine: machine('running'), record: { ...fresh, power: 'running' } },
    { kind: 'provision', index: 0 },
  ],
  [
    'all done: rest',
    order('running'),
    { machine: machine('running'), record: done() },
    { kind: 'rest', phase: 'running' },
  ],
  [
    'booted again: the guest is checked',
    order('running'),
    { machine: machine('running'), record: done({ identity: null }) },
    { kind: 'check_guest' },
  ],
  [
    'a newer order fulfilled: marked',
    order('running', 2),
    { machine: machine('running'), record: done() },
    { kind: 'stamp' },
  ],
  [
    'stopped by order: started',
    order('running', 2),
    { machine: machine('shut_off'), record: done({ power: 'stopped' }) },
    { kind: 'start' },
  ],
  [
    'off by itself: failed',
    order('running'),
    { machine: machine('shut_off'), record: done() },
    { kind: 'fail' },
  ],
  ['crashed: failed', order('running'), { machine: machine('crashed'), record: done() }, { kind: 'fail' }],
  ['gone: failed', order('running'), { machine: machine('absent'), record: done() }, { kind: 'fail' }],
  [
    'failed: rest',
    order('running'),
    { machine: machine('running'), record: failed() },
    { kind: 'rest', phase: 'failed' },
  ],
  [
    'failed, newer order: anew',
    order('running', 2),
    { machine: machine('running'), record: failed() },
    { kind: 'start_over' },
  ],
  [
    'failed after it was ready, newer order: brought up again',
    order('running', 2),
    {
      machine: machine('shut_off'),
      record: done({ failure: { code: 'guest_unreachable', message: '' }, failedGeneration: 1 }),
    },
    { kind: 'recover' },
  ],
  [
    'running, to stop',
    order('stopped', 2),
    { machine: machine('running'), record: done() },
    { kind: 'stop' },
  ],
  [
    'stopped',
    order('stopped'),
    { machine: machine('shut_off'), record: done({ power: 'stopped' }) },
    { kind: 'rest', phase: 'stopped' },
  ],
  ['to delete', order('deleted', 2), { machine: machine('running'), record: done() }, { kind: 'remove' }],
  ['only files left: removed', order('deleted'), { machine: absent, record: fresh }, { kind: 'remove' }],
  ['deleted', order('deleted'), { machine: absent, record: null }, { kind: 'rest', phase: 'deleted' }],
  [
    'an older order: refused',
    order('deleted', 1),
    { machine: machine('running', 2), record: done() },
    { kind: 'refuse' },
  ],
]

describe('each order and sight has one step', () => {
  for (const [name, wanted, seen, expected] of table) {
    test(name, () => expect(nextStep(wanted, seen)).toMatchObject(expected))
  }
})

const powers: Power[] = ['absent', 'shut_off', 'running', 'crashed']
const anyRecord = fc.option(
  fc
    .record({
      power: fc.constantFrom('stopped' as const, 'running' as const),
      open: fc.integer({ min: 0, max: fresh.steps.length }),
      checked: fc.boolean(),
      hasFailed: fc.boolean(),
      failedGeneration: fc.integer({ min: 0, max: 4 }),
    })
    .map(
      ({ power, open, checked, hasFailed, failedGeneration }): EnvironmentRecord => ({
        ...fresh,
        power,
        identity: checked ? identity : null,
        steps: fresh.steps.map((step, index) => ({ ...step, phase: index < open ? 'succeeded' : 'pending' })),
        failure: hasFailed ? { code: 'internal', message: '' } : null,
        failedGeneration,
      }),
    ),
  { nil: null },
)
const anyMachine = fc.record({
  power: fc.constantFrom(...powers),
  generation: fc.integer({ min: 1, max: 4 }),
})
const anyWanted = fc.record({
  desiredPhase: fc.constantFrom('running' as const, 'stopped' as const, 'deleted' as const),
  generation: fc.integer({ min: 1, max: 4 }),
  runnerId: fc.constant(runnerId),
})

test('whatever is seen, a machine that is not ours is only reported', () => {
  fc.assert(
    fc.property(
      anyWanted,
      anyMachine,
      anyRecord,
      fc.boolean(),
      (wanted, { power, generation }, record, unmarked) => {
        fc.pre(power !== 'absent' || !unmarked)
        const ownership = { owner: 'another', environmentId: 'e', epoch: 1, generation, createdAt: '' }
        const step = nextStep(wanted, { machine: { power, ownership: unmarked ? null : ownership }, record })
        expect(step).toMatchObject({ kind: 'rest', phase: 'failed' })
      },
    ),
  )
})

test('from everything that can be seen, the steps lead to rest, and never back and forth', () => {
  fc.assert(
    fc.property(anyWanted, anyMachine, anyRecord, (wanted, { power, generation }, record) => {
      let seen: Seen = {
        machine: power === 'absent' && record === null ? absent : machine(power, generation),
        record,
      }
      for (let taken = 0; taken < 30; taken += 1) {
        const step = nextStep(wanted, seen)
        expect(phaseDuring(step, seen.record)).toBeTypeOf('string')
        if (step.kind === 'refuse') {
          expect(generation).toBeGreaterThan(wanted.generation)
          return
        }
        if (step.kind === 'rest') {
          expect([wanted.desiredPhase, 'failed']).toContain(step.phase)
          return
        }
        seen = after(step, seen, wanted)
      }
      expect.unreachable('no rest after 30 steps')
    }),
    { numRuns: 2_000 },
  )
})

/** What a host that always obeys shows after a step. */
function after(step: NextStep, seen: Seen, wanted: Wanted): Seen {
  const { machine: before } = seen
  const record = seen.record ?? newRecord(wanted.generation, plan)
  switch (step.kind) {
    case 'create':
      return { machine: machine('shut_off', before.ownership?.generation ?? wanted.generation), record }
    case 'start': {
      const steps = record.steps.map((each) =>
        each.name === 'create_vm' ? { ...each, phase: 'succeeded' as const } : each,
      )
      return {
        machine: { ...before, power: 'running' },
        record: { ...record, power: 'running', identity: null, steps },
      }
    }
    case 'provision': {
      expect(step.index).toBe(firstOpenStep(record.steps))
      const steps = record.steps.map((each, index) =>
        index === step.index ? { ...each, phase: 'succeeded' as const } : each,
      )
      return { machine: before, record: { ...record, steps } }
    }
    case 'check_guest':
      return { machine: before, record: { ...record, identity } }
    case 'stamp':
      return { machine: machine(before.power, wanted.generation), record: seen.record }
    case 'stop':
      return {
        machine: { ...before, power: 'shut_off' },
        record: { ...record, power: 'stopped', identity: null },
      }
    case 'remove':
    case 'start_over':
      return { machine: absent, record: null }
    case 'recover':
      return { machine: before, record: { ...record, failure: null, failedGeneration: 0, power: 'stopped' } }
    case 'fail':
      return {
        machine: before,
        record: { ...record, failure: step.failure, failedGeneration: wanted.generation },
      }
    case 'rest':
    case 'refuse':
      return seen
  }
}
