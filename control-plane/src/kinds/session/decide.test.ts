import type { SessionTarget } from '@hearth/contract'
import { expect, test } from 'vitest'
import { decide, type SeenSession } from './decide.ts'
import { ground, later, start, target } from './session.fixture.ts'

const { ci } = ground([])
const seen = (change: Partial<SeenSession> = {}): SeenSession => ({
  phase: 'open',
  desired: 'open',
  exitCondition: 'ci',
  ci,
  detached: false,
  startedAt: start,
  leaseEndsAt: later(90),
  done: false,
  error: null,
  failure: null,
  reported: [target('(hearth.yaml):update', 'well'), target('push:update', 'active')],
  derived: [],
  machine: null,
  now: later(60),
  ...change,
})
const stateOf = (targets: readonly SessionTarget[] | undefined, name: string) =>
  targets?.find((one) => one.name === name)?.state

const silence = 'its caller went silent: it had to renew its lease by 2026-01-01 12:01:30 UTC'
const silent = { now: later(90) }
const machine = { error: null }
const finished = [target('(hearth.yaml):update', 'well'), target('claim:update', 'well')]

test('one that has ended stays as it is', () => {
  expect(decide(seen({ phase: 'ended', ...silent }))).toBeNull()
})

test('what Hearth sees by itself stands beside what the caller reports, in the order of the names, and is right', () => {
  const derived = [target('test:update', 'active'), target('push:update', 'well')]
  const settled = decide(seen({ derived, machine }))
  expect(settled?.targets.map(({ name }) => name)).toEqual([
    '(hearth.yaml):update',
    'push:update',
    'test:update',
  ])
  expect(stateOf(settled?.targets, 'push:update')).toMatchObject({ kind: 'terminated' })
  expect(stateOf(settled?.reported, 'push:update')).toMatchObject({ kind: 'active' })
})

test('it looks again when its lease or its own time ends, whichever comes first', () => {
  expect(decide(seen())?.next).toEqual(later(90))
  expect(decide(seen({ leaseEndsAt: later(3_600) }))?.next).toEqual(later(1_800))
  expect(decide(seen({ detached: true }))?.next).toEqual(later(1_800))
})

test('once its condition is met it ends, and waits for no caller', () => {
  expect(decide(seen({ reported: finished }))).toMatchObject({
    phase: 'ended',
    done: true,
    error: null,
    failure: null,
    leaseEndsAt: null,
    next: null,
  })
})

test('ended by hand before that, a ci session is done with an error, and a manual one only ends', () => {
  expect(decide(seen({ desired: 'ended' }))).toMatchObject({
    phase: 'ended',
    done: true,
    error: 'it was ended before all its targets were well',
    failure: null,
  })
  expect(decide(seen({ desired: 'ended', exitCondition: 'manual', ci: null, ...silent }))).toMatchObject({
    phase: 'ended',
    done: false,
    error: null,
    failure: null,
  })
  expect(decide(seen({ desired: 'ended', reported: finished }))).toMatchObject({ done: true, error: null })
})

test('a silent caller’s unfinished targets end with an error that says so, and with them its ci session', () => {
  const settled = decide(seen({ ...silent, derived: [target('test:update', 'active')], machine }))
  expect(settled).toMatchObject({
    phase: 'ended',
    done: true,
    error: silence,
    failure: { code: 'caller_silent', message: silence },
  })
  expect(stateOf(settled?.targets, 'push:update')).toMatchObject({ kind: 'terminated', error: silence })
  expect(stateOf(settled?.targets, 'test:update')).toMatchObject({ kind: 'active' })
  expect(stateOf(settled?.targets, '(hearth.yaml):update')).toMatchObject({ error: null })
})

test('a silent caller who had done its part does not end the work in the machine', () => {
  const derived = [target('test:update', 'active')]
  const settled = decide(seen({ ...silent, reported: finished, derived, machine }))
  expect(settled).toMatchObject({ phase: 'open', done: false, failure: null, leaseEndsAt: null })
  expect(settled?.next).toEqual(later(1_800))
})

test('without a machine nobody but the caller could go on', () => {
  const reported = [target('(hearth.yaml):update', 'well')]
  expect(decide(seen({ ...silent, reported }))).toMatchObject({
    phase: 'ended',
    done: true,
    error: silence,
    failure: { code: 'caller_silent' },
  })
})

test('a silent caller’s manual session ends, and is not done', () => {
  const settled = decide(
    seen({ ...silent, exitCondition: 'manual', ci: null, derived: [target('a', 'active')], machine }),
  )
  expect(settled).toMatchObject({
    phase: 'ended',
    done: false,
    error: null,
    failure: { code: 'caller_silent', message: silence },
  })
})

test('a detached session needs no caller', () => {
  expect(decide(seen({ detached: true, now: later(100) }))).toMatchObject({ phase: 'open', failure: null })
})

test('a lost machine ends a ci session, and not a manual one', () => {
  const lost = { machine: { error: 'its claim was released' } }
  const error = 'the machine cannot be used: its claim was released'
  expect(decide(seen(lost))).toMatchObject({ phase: 'ended', done: true, error })
  expect(decide(seen({ ...lost, derived: [target('test:update', 'active')] }))).toMatchObject({ error })
  expect(decide(seen({ ...lost, reported: finished }))).toMatchObject({ done: true, error: null })
  expect(decide(seen({ ...lost, exitCondition: 'manual', ci: null }))).toMatchObject({ phase: 'open' })
})
