import type { ProcessOrder } from '@hearth/contract'
import { expect, test } from 'vitest'
import type { KnownRun, RunEnding } from '../../guest/process.ts'
import type { Machine } from '../../host/machine.ts'
import { nextStep, type SeenProcess } from './next-step.ts'

const order = (change: Partial<ProcessOrder> = {}) =>
  ({
    epoch: 3,
    generation: 1,
    type: 'task',
    desired: 'run',
    request: 1,
    runs: 0,
    restart: { policy: 'never', limit: 2, firstSeconds: 1, mostSeconds: 60 },
    wish: null,
    ...change,
  }) as ProcessOrder
const ownership = { owner: 'r', environmentId: 'e', epoch: 3, generation: 9, createdAt: '' }
const machine = (power: Machine['power'], epoch = 3) => ({ power, ownership: { ...ownership, epoch } })
const ending = (change: Partial<RunEnding> = {}): RunEnding => ({
  finishedAt: 2_000,
  cause: 'exit',
  exitCode: 0,
  signal: null,
  ...change,
})
const run = (change: Partial<KnownRun> = {}): KnownRun => ({
  number: 1,
  request: 1,
  restarts: 0,
  startedAt: 1_000,
  readyAt: null,
  ending: null,
  ...change,
})
const seen = (change: Partial<SeenProcess> = {}): SeenProcess => ({
  machine: machine('running'),
  run: null,
  isRead: true,
  isForgotten: false,
  toldWish: null,
  failure: null,
  failedGeneration: 0,
  now: 2_000,
  endedAt: 2_000,
  ...change,
})
const rest = (phase: string) => ({ kind: 'rest', phase, failure: null })

test('a new request is run once', () => {
  expect(nextStep(order(), seen())).toEqual({ kind: 'start', number: 1, restarts: 0 })
  expect(nextStep(order(), seen({ run: run() }))).toEqual({ kind: 'follow' })
  expect(nextStep(order(), seen({ run: run({ ending: ending() }) }))).toEqual(rest('ended'))
  expect(nextStep(order({ runs: 7 }), seen())).toEqual({ kind: 'start', number: 8, restarts: 0 })
})

test('a run that ended while nobody followed it is read first', () => {
  const unread = seen({ run: run({ ending: ending() }), isRead: false })
  for (const desired of ['run', 'stop'] as const)
    for (const request of [1, 2])
      expect(nextStep(order({ desired, request }), unread)).toEqual({ kind: 'follow' })
  expect(nextStep(order({ desired: 'deleted' }), unread)).toEqual({ kind: 'forget' })
})

test('a newer request ends the run of the one before', () => {
  expect(nextStep(order({ request: 2 }), seen({ run: run() }))).toEqual({ kind: 'stop' })
  const ended = run({ ending: ending({ cause: 'stopped', exitCode: null }) })
  expect(nextStep(order({ request: 2 }), seen({ run: ended }))).toEqual({
    kind: 'start',
    number: 2,
    restarts: 0,
  })
})

test('it waits for its machine', () => {
  for (const power of ['shut_off', 'paused', 'suspended', 'crashed', 'absent'] as const)
    expect(nextStep(order(), seen({ machine: machine(power) }))).toEqual(rest('waiting'))
  expect(nextStep(order(), seen({ machine: { power: 'running', ownership: null } }))).toEqual(rest('waiting'))
})

test('the policy says whether it is run again, and after which pause', () => {
  const again = (policy: 'never' | 'on-failure' | 'always', change: Partial<RunEnding>, restarts = 0) =>
    nextStep(
      order({ type: 'service', restart: { policy, limit: 2, firstSeconds: 2, mostSeconds: 3 } }),
      seen({ run: run({ restarts, ending: ending(change) }) }),
    )
  expect(again('never', { exitCode: 1 })).toEqual(rest('ended'))
  expect(again('on-failure', { exitCode: 0 })).toEqual(rest('ended'))
  expect(again('on-failure', { exitCode: 1 })).toEqual({ kind: 'pause', milliseconds: 2_000 })
  expect(again('always', {}, 1)).toEqual({ kind: 'pause', milliseconds: 3_000 })
  expect(again('always', {}, 2)).toEqual(rest('ended'))
  expect(again('always', { cause: 'stopped', exitCode: null })).toEqual(rest('ended'))
  expect(again('always', { cause: 'refused', exitCode: null })).toEqual(rest('ended'))
})

test('after the pause it is run; a run that lasted begins a new row of restarts', () => {
  const always = order({ restart: { policy: 'always', limit: 2, firstSeconds: 2, mostSeconds: 60 } })
  const ended = run({ restarts: 1, ending: ending() })
  expect(nextStep(always, seen({ run: ended, now: 6_000 }))).toEqual({
    kind: 'start',
    number: 2,
    restarts: 2,
  })
  const lasted = run({ restarts: 2, ending: ending({ finishedAt: 601_000 }) })
  expect(nextStep(always, seen({ run: lasted, now: 700_000, endedAt: 601_000 }))).toEqual({
    kind: 'start',
    number: 2,
    restarts: 1,
  })
})

test('a clock that was set back prolongs no pause', () => {
  const always = order({ restart: { policy: 'always', limit: 2, firstSeconds: 2, mostSeconds: 60 } })
  expect(nextStep(always, seen({ run: run({ ending: ending() }), now: 2_000, endedAt: 3_602_000 }))).toEqual({
    kind: 'pause',
    milliseconds: 2_000,
  })
})

test('a service whose machine went down is started at once, a task by its policy', () => {
  const lost = run({ ending: ending({ cause: 'lost', exitCode: null }) })
  const policy = { policy: 'on-failure', limit: 2, firstSeconds: 2, mostSeconds: 60 } as const
  expect(nextStep(order({ type: 'service', restart: policy }), seen({ run: lost }))).toEqual({
    kind: 'start',
    number: 2,
    restarts: 0,
  })
  expect(nextStep(order({ restart: policy }), seen({ run: lost }))).toEqual({
    kind: 'pause',
    milliseconds: 2_000,
  })
  expect(nextStep(order(), seen({ run: lost }))).toEqual(rest('ended'))
})

test('it is stopped, and forgotten once it has ended', () => {
  expect(nextStep(order({ desired: 'stop' }), seen({ run: run() }))).toEqual({ kind: 'stop' })
  expect(nextStep(order({ desired: 'stop' }), seen())).toEqual(rest('ended'))
  expect(nextStep(order({ desired: 'stop' }), seen({ machine: machine('shut_off') }))).toEqual(rest('ended'))
  expect(nextStep(order({ desired: 'deleted' }), seen({ run: run() }))).toEqual({ kind: 'stop' })
  expect(nextStep(order({ desired: 'deleted' }), seen({ run: run({ ending: ending() }) }))).toEqual({
    kind: 'forget',
  })
  expect(nextStep(order({ desired: 'deleted' }), seen({ isForgotten: true }))).toEqual(rest('deleted'))
  expect(nextStep(order({ desired: 'deleted' }), seen({ machine: machine('absent') }))).toEqual(
    rest('deleted'),
  )
  // It goes on with its memory.
  expect(nextStep(order({ desired: 'deleted' }), seen({ machine: machine('suspended') }))).toEqual(
    rest('waiting'),
  )
})

test('a machine that another lease has worked on is left alone', () => {
  expect(nextStep(order(), seen({ machine: machine('running', 4) }))).toMatchObject({
    kind: 'refuse',
    superseded: true,
  })
})

test('a failure stays until a newer order', () => {
  const failure = { code: 'guest_misbehaved', message: 'x' } as const
  expect(nextStep(order(), seen({ failure, failedGeneration: 1 }))).toEqual({
    kind: 'rest',
    phase: 'failed',
    failure,
  })
  expect(nextStep(order({ generation: 2 }), seen({ failure, failedGeneration: 1 }))).toMatchObject({
    kind: 'start',
  })
})

test('a wish is told before a run that reads it begins, again when it is another one, and not to what is to end', () => {
  const wished = order({ wish: 'running' })
  const tell = { kind: 'tell', wish: 'running' }
  expect(nextStep(wished, seen())).toEqual(tell)
  expect(nextStep(wished, seen({ run: run(), toldWish: 'paused' }))).toEqual(tell)
  expect(nextStep(wished, seen({ run: run(), toldWish: 'running' }))).toEqual({ kind: 'follow' })
  expect(nextStep(wished, seen({ toldWish: 'running' }))).toMatchObject({ kind: 'start' })
  expect(nextStep(order({ wish: 'running', desired: 'stop' }), seen({ run: run() }))).toEqual({
    kind: 'stop',
  })
  expect(nextStep(wished, seen({ machine: machine('shut_off') }))).toEqual(rest('waiting'))
})
