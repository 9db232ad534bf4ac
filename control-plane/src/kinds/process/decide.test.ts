import { expect, test } from 'vitest'
import { decide, type SeenMachine, type SeenProcess } from './decide.ts'

const now = new Date('2026-11-30T10:00:00Z')
const machine: SeenMachine = {
  name: 'shop-1',
  phase: 'running',
  desiredPhase: 'running',
  unreachable: false,
  runnerId: 'r1',
  runner: 'one',
  isAble: true,
  bringsInputs: true,
  incarnation: 1,
}
const seen = (change: Partial<SeenProcess> = {}): SeenProcess => ({
  name: 'test',
  kind: 'task',
  phase: 'pending',
  desired: 'run',
  runnerId: null,
  dependencies: { waitsFor: null },
  incarnation: 1,
  isKept: false,
  readiness: null,
  hasInputs: false,
  schedule: null,
  nextRunAt: null,
  isQueued: false,
  deadline: null,
  waitsFor: null,
  ...change,
})
const decided = (change: Partial<SeenProcess>, at: Partial<SeenMachine> = {}) =>
  decide(seen(change), { ...machine, ...at }, now)

test('it is ordered as soon as its machine runs', () => {
  expect(decided({})).toEqual({ do: 'order', deadline: new Date('2026-11-30T10:02:00Z') })
  expect(decided({}, { phase: 'provisioning' })).toEqual({
    do: 'wait',
    waitsFor: 'environment shop-1 to run: it is provisioning',
  })
  expect(decided({}, { unreachable: true })).toEqual({
    do: 'wait',
    waitsFor: 'runner one, which is silent',
  })
  expect(decided({ waitsFor: 'runner one, which is silent' }, { unreachable: true })).toBeNull()
})

test('an agent that is too old is not asked', () => {
  expect(decided({}, { isAble: false })).toMatchObject({ do: 'fail', failure: { code: 'host_refused' } })
})

test('an agent that brings no files into guests is not asked where some are needed', () => {
  expect(decided({ hasInputs: true }, { bringsInputs: false })).toEqual({
    do: 'fail',
    failure: {
      code: 'host_refused',
      message:
        'the agent of runner one is too old to bring files into a machine, which task test needs: update it',
    },
  })
  expect(decided({}, { bringsInputs: false })).toMatchObject({ do: 'order' })
  // They take their time.
  expect(decided({ hasInputs: true })).toEqual({ do: 'order', deadline: new Date('2026-11-30T10:18:00Z') })
})

test('it waits for what it depends on, and fails where waiting would not help', () => {
  expect(decided({ dependencies: { waitsFor: 'task build to succeed' } })).toEqual({
    do: 'wait',
    waitsFor: 'task build to succeed',
  })
  const failure = { code: 'cancelled', message: 'it depends on build' } as const
  expect(decided({ dependencies: { failure } })).toEqual({ do: 'fail', failure })
})

test('when its machine was put back, what is kept begins again, and a task has been cut short', () => {
  const back = { incarnation: 2 }
  for (const phase of ['starting', 'running', 'restarting'] as const) {
    expect(decided({ phase, runnerId: 'r1', isKept: true }, back)).toEqual({ do: 'begin-again' })
    expect(decided({ phase, runnerId: 'r1' }, back)).toMatchObject({
      do: 'fail',
      failure: { message: 'the task was cut short, since its machine was put back to a checkpoint' },
    })
  }
  // Ordered since then, or by a version that did not say; done; or on its way to be stopped.
  expect(decided({ phase: 'running', runnerId: 'r1', incarnation: 2 }, back)).toBeNull()
  expect(decided({ phase: 'running', runnerId: 'r1', incarnation: null }, back)).toBeNull()
  expect(decided({ phase: 'succeeded', runnerId: 'r1' }, back)).toBeNull()
  expect(decided({ phase: 'running', runnerId: 'r1', desired: 'stop' }, back)).toEqual({
    do: 'move',
    to: 'stopping',
  })
})

test('one whose machine moved to another runner is given to that', () => {
  expect(decided({ phase: 'running', runnerId: 'r0' })).toEqual({ do: 'take-back' })
  expect(decided({ phase: 'succeeded', runnerId: 'r0' })).toBeNull()
})

test('stopping and deleting', () => {
  expect(decided({ desired: 'stop' })).toEqual({ do: 'move', to: 'stopped' })
  expect(decided({ desired: 'stop', phase: 'running', runnerId: 'r1' })).toEqual({
    do: 'move',
    to: 'stopping',
  })
  expect(decided({ desired: 'stop', phase: 'stopping', runnerId: 'r1' })).toBeNull()
  expect(decided({ desired: 'delete', phase: 'running', runnerId: 'r1' })).toEqual({
    do: 'move',
    to: 'deleting',
  })
  expect(decided({ desired: 'delete', phase: 'idle' })).toEqual({ do: 'remove' })
  expect(decided({ desired: 'delete', phase: 'running', runnerId: 'r1' }, { phase: 'stopped' })).toEqual({
    do: 'remove',
  })
  expect(decided({ desired: 'delete', phase: 'deleting', runnerId: 'r1' }, { phase: 'suspended' })).toBeNull()
})

test('it goes with its machine', () => {
  expect(decided({ phase: 'running', runnerId: 'r1' }, { phase: 'failed' })).toMatchObject({
    do: 'fail',
    failure: { code: 'cancelled', message: 'its environment shop-1 has failed' },
  })
  expect(decided({ phase: 'succeeded' }, { phase: 'deleting' })).toBeNull()
  expect(decided({ phase: 'succeeded' }, { phase: 'deleted' })).toEqual({ do: 'remove' })
})

test('a runner that does not say that it started is waited for until a deadline, if it can be asked', () => {
  const late = { phase: 'starting' as const, runnerId: 'r1', deadline: now }
  expect(decided(late)).toMatchObject({ do: 'fail', failure: { code: 'deadline_passed' } })
  expect(decided(late, { unreachable: true })).toMatchObject({ do: 'postpone' })
})

test('what has ended is forgotten by its runner after a moment', () => {
  const over = { phase: 'succeeded' as const, runnerId: 'r1' }
  expect(decided({ ...over, deadline: new Date('2026-11-30T10:00:05Z') })).toBeNull()
  expect(decided({ ...over, deadline: now })).toEqual({ do: 'release' })
  expect(decided({ ...over, runnerId: null, deadline: now })).toBeNull()
})

const schedule = { cron: '0 3 * * *', timeZone: 'Europe/Berlin', overlap: 'skip' } as const

test('a schedule is reckoned with first, and then starts what is due, once', () => {
  const next = new Date('2026-12-01T02:00:00Z')
  expect(decided({ phase: 'idle', schedule })).toEqual({ do: 'schedule', nextRunAt: next, also: 'nothing' })
  // Three days were missed.
  const due = { phase: 'succeeded' as const, schedule, nextRunAt: new Date('2026-11-27T02:00:00Z') }
  expect(decided(due)).toEqual({ do: 'schedule', nextRunAt: next, also: 'start' })
  expect(decided(due, { phase: 'suspended', desiredPhase: 'suspended' })).toBeNull()
  expect(decided({ ...due, desired: 'stop' })).toBeNull()
})

test.each([
  ['skip', 'nothing'],
  ['queue', 'queue'],
  ['replace', 'replace'],
] as const)('what is due while it runs: %s', (overlap, also) => {
  const running = { phase: 'running' as const, runnerId: 'r1', nextRunAt: now }
  expect(decided({ ...running, schedule: { ...schedule, overlap } })).toMatchObject({ do: 'schedule', also })
})

test('what was queued starts when the run is over', () => {
  const next = new Date('2026-12-01T02:00:00Z')
  expect(decided({ phase: 'succeeded', schedule, nextRunAt: next, isQueued: true })).toEqual({
    do: 'start-queued',
  })
  expect(decided({ phase: 'running', runnerId: 'r1', schedule, nextRunAt: next, isQueued: true })).toBeNull()
})

test('a time that the clock leaves out comes when it goes on, one that it shows twice comes once', () => {
  const spring = { cron: '30 2 * * *', timeZone: 'Europe/Berlin', overlap: 'skip' } as const
  const at = (time: string) => decide(seen({ phase: 'idle', schedule: spring }), machine, new Date(time))
  // On 28 March 2027 the clock goes from 2:00 to 3:00.
  expect(at('2027-03-28T00:30:00Z')).toMatchObject({ nextRunAt: new Date('2027-03-28T01:00:00Z') })
  // On 25 October 2026 it shows 2:30 at 0:30 and at 1:30 UTC.
  expect(at('2026-10-25T00:00:00Z')).toMatchObject({ nextRunAt: new Date('2026-10-25T00:30:00Z') })
  expect(at('2026-10-25T00:45:00Z')).toMatchObject({ nextRunAt: new Date('2026-10-26T01:30:00Z') })
})
