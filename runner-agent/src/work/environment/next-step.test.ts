import type { EnvironmentOrder } from '@hearth/contract'
import { samplePlan } from '@hearth/testing'
import { describe, expect, test } from 'vitest'
import type { Power } from '../../host/machine.ts'
import { type NextStep, nextStep, type Seen, type Wanted } from './next-step.ts'
import { type EnvironmentRecord, newRecord } from './record.ts'

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
