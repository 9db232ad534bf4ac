import type { EnvironmentOrder, MachineSource } from '@hearth/contract'
import { samplePlan } from '@hearth/testing'
import { describe, expect, test } from 'vitest'
import type { Power } from '../../host/machine.ts'
import { type NextStep, nextStep, type Seen, type Wanted } from './next-step.ts'
import { type EnvironmentRecord, newRecord, restoredSteps } from './record.ts'

const plan = samplePlan({
  repositories: [{ url: 'https://example.org/shop.git', name: 'shop', branch: null, setup: [] }],
  variables: { A: 'b' },
  projectSetup: [{ name: 'one', command: 'true' }],
})
const identity = {
  machineId: '',
  hostname: '',
  hostKeyMatches: true,
  randomSeedFresh: true,
  clockOffsetMilliseconds: 0,
  checkedAt: '2026-01-01T00:00:00Z',
}
const runnerId = 'runner-1'
const source: MachineSource = {
  snapshotId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  memory: true,
  incarnation: 1,
  heldSteps: ['project_setup'],
  onlyFromSnapshot: false,
}
const order = (desiredPhase: EnvironmentOrder['desiredPhase'], generation = 1, epoch = 1): Wanted => ({
  desiredPhase,
  epoch,
  generation,
  runnerId,
})
const machine = (power: Power, generation = 1): Seen['machine'] => ({
  power,
  endReason: power === 'crashed' ? 'hypervisor_gone' : null,
  hostBootId: 'first',
  ownership: { owner: runnerId, environmentId: 'e', epoch: 1, generation, createdAt: '' },
})
const absent: Seen['machine'] = { power: 'absent', ownership: null, endReason: null, hostBootId: 'first' }
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

const fromSnapshot = (generation = 1, change: Partial<MachineSource> = {}): Wanted => ({
  ...order('running', generation),
  source: { ...source, ...change },
})
const made = (change: Partial<EnvironmentRecord>): EnvironmentRecord => ({
  ...newRecord(1, plan, source),
  startedFrom: { from: 'memory', snapshotId: source.snapshotId, incarnation: 1, reason: null },
  ...change,
})
const putBack = (change: Partial<EnvironmentRecord> = {}): EnvironmentRecord => ({
  ...done({ identity: null }),
  steps: restoredSteps(done().steps, source),
  incarnation: 1,
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
    'its network is lost: failed, with that cause',
    order('running'),
    { machine: { ...machine('running'), fault: 'passt has ended' }, record: done() },
    { kind: 'fail', failure: { code: 'guest_unreachable', message: 'passt has ended' } },
  ],
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
    'a newer order: marked first',
    order('stopped', 2),
    { machine: machine('running'), record: done() },
    { kind: 'stamp' },
  ],
  [
    'taken over from an older agent: marked first',
    order('running', 1, 2),
    { machine: machine('running'), record: { ...fresh, power: 'running' } },
    { kind: 'stamp' },
  ],
  [
    'taken over by a newer agent: refused, and the lease is lost',
    order('deleted', 3, 0),
    { machine: machine('running'), record: done() },
    { kind: 'refuse', superseded: true },
  ],
  [
    'stopped by order: started',
    order('running', 2),
    { machine: machine('shut_off', 2), record: done({ power: 'stopped' }) },
    { kind: 'start' },
  ],
  [
    'off by itself: failed',
    order('running'),
    { machine: machine('shut_off'), record: done() },
    { kind: 'fail' },
  ],
  [
    'paused: nothing until its guest goes on',
    order('running'),
    { machine: machine('paused'), record: done() },
    { kind: 'rest', phase: 'running', failure: null },
  ],
  [
    'paused while provisioning',
    order('running'),
    { machine: machine('paused'), record: fresh },
    { kind: 'rest', phase: 'provisioning', failure: null },
  ],
  [
    'paused and to be stopped',
    order('stopped'),
    { machine: machine('paused'), record: done() },
    { kind: 'stop' },
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
    { machine: machine('running', 2), record: failed() },
    { kind: 'start_over' },
  ],
  [
    'failed after it was ready, newer order: brought up again',
    order('running', 2),
    {
      machine: machine('shut_off', 2),
      record: done({ failure: { code: 'guest_unreachable', message: '' }, failedGeneration: 1 }),
    },
    { kind: 'recover' },
  ],
  [
    'running, to stop',
    order('stopped', 2),
    { machine: machine('running', 2), record: done() },
    { kind: 'stop' },
  ],
  [
    'stopped',
    order('stopped'),
    { machine: machine('shut_off'), record: done({ power: 'stopped' }) },
    { kind: 'rest', phase: 'stopped' },
  ],
  [
    'to start from a snapshot: made from it',
    fromSnapshot(),
    { machine: absent, record: null },
    { kind: 'create', source },
  ],
  [
    'the snapshot was of no use: made from the image',
    fromSnapshot(),
    {
      machine: machine('absent'),
      record: made({ startedFrom: { from: 'image', snapshotId: null, incarnation: 1, reason: 'damaged' } }),
    },
    { kind: 'create', source: null },
  ],
  [
    'made, with memory: started from it',
    fromSnapshot(),
    { machine: machine('shut_off'), record: made({ memoryStart: 'wanted' }) },
    { kind: 'start_from_memory' },
  ],
  [
    'loading the memory was cut, the machine stands still: loaded again',
    fromSnapshot(),
    { machine: machine('paused'), record: made({ memoryStart: 'begun' }) },
    { kind: 'start_from_memory' },
  ],
  [
    'loading the memory was cut, the machine runs: it counts as started',
    fromSnapshot(),
    { machine: machine('running'), record: made({ memoryStart: 'begun' }) },
    { kind: 'start_from_memory' },
  ],
  [
    'the memory was of no use: booted from the disk',
    fromSnapshot(),
    { machine: machine('shut_off'), record: made({ memoryStart: 'none' }) },
    { kind: 'start' },
  ],
  [
    'the resumed guest was of no use: ended, to boot',
    fromSnapshot(),
    { machine: machine('running'), record: made({ power: 'running', memoryStart: 'given_up' }) },
    { kind: 'leave_memory' },
  ],
  [
    'a guest from a snapshot: first it becomes its own',
    fromSnapshot(),
    {
      machine: machine('running'),
      record: made({
        power: 'running',
        steps: newRecord(1, plan, source).steps.map((step) =>
          step.name === 'create_vm' ? { ...step, phase: 'succeeded' } : step,
        ),
      }),
    },
    { kind: 'provision', index: 1 },
  ],
  [
    'to be put back, running',
    fromSnapshot(2),
    { machine: machine('running', 2), record: done() },
    { kind: 'restore', source },
  ],
  [
    'to be put back, off',
    fromSnapshot(2),
    { machine: machine('shut_off', 2), record: done({ power: 'stopped' }) },
    { kind: 'restore', source },
  ],
  [
    'to be put back, paused',
    fromSnapshot(2),
    { machine: machine('paused', 2), record: done() },
    { kind: 'restore', source },
  ],
  [
    'to be put back and stopped: only stopped, for now',
    { ...fromSnapshot(2), desiredPhase: 'stopped' },
    { machine: machine('running', 2), record: done() },
    { kind: 'stop' },
  ],
  [
    'to be put back, and it is gone: failed',
    fromSnapshot(2),
    { machine: absent, record: done() },
    { kind: 'fail' },
  ],
  [
    'put back: started',
    fromSnapshot(2),
    { machine: machine('shut_off', 2), record: putBack({ power: 'stopped' }) },
    { kind: 'start' },
  ],
  [
    'put back and started: its guest becomes its own again',
    fromSnapshot(2),
    { machine: machine('running', 2), record: putBack() },
    { kind: 'provision', index: 1 },
  ],
  [
    'put back once: not again',
    fromSnapshot(2),
    { machine: machine('running', 2), record: done({ incarnation: 1 }) },
    { kind: 'rest', phase: 'running' },
  ],
  [
    'it could not be put back: rest',
    fromSnapshot(2),
    {
      machine: machine('running', 2),
      record: done({ failure: { code: 'layer_damaged', message: '' }, failedGeneration: 2 }),
    },
    { kind: 'rest', phase: 'failed' },
  ],
  [
    'it could not be put back, newer order: tried again',
    fromSnapshot(3, { incarnation: 2 }),
    {
      machine: machine('running', 3),
      record: done({ failure: { code: 'layer_damaged', message: '' }, failedGeneration: 2 }),
    },
    { kind: 'restore' },
  ],
  [
    'put back, and its guest did not become its own, newer order: brought up again',
    fromSnapshot(3),
    {
      machine: machine('running', 3),
      record: putBack({ failure: { code: 'identity_mismatch', message: '' }, failedGeneration: 2 }),
    },
    { kind: 'recover' },
  ],
  ['to delete', order('deleted', 2), { machine: machine('running'), record: done() }, { kind: 'remove' }],
  ['only files left: removed', order('deleted'), { machine: absent, record: fresh }, { kind: 'remove' }],
  ['deleted', order('deleted'), { machine: absent, record: null }, { kind: 'rest', phase: 'deleted' }],
  [
    'an older order: refused',
    order('deleted', 1),
    { machine: machine('running', 2), record: done() },
    { kind: 'refuse', superseded: false },
  ],
]

describe('each order and sight has one step', () => {
  for (const [name, wanted, seen, expected] of table) {
    test(name, () => expect(nextStep(wanted, seen)).toMatchObject(expected))
  }
})
