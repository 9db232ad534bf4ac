import { desiredPhaseSchema, environmentPhases, environmentPhaseTable, mayMove } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deadlineWhile, decide, type SeenEnvironment } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const passed = new Date(now.getTime() - 1)
const ahead = new Date(now.getTime() + 60_000)
const host = { name: 'north', silent: false, removed: false }

const seen = (change: Partial<SeenEnvironment> = {}): SeenEnvironment => ({
  phase: 'provisioning',
  desiredPhase: 'running',
  deadline: ahead,
  unreachable: false,
  everReady: false,
  projectDeleting: false,
  sourceFailure: null,
  kept: null,
  runner: host,
  now,
  ...change,
})

test('a pending environment is placed, until its deadline has passed', () => {
  expect(decide(seen({ phase: 'pending', runner: null }))).toEqual({ do: 'place' })
  expect(decide(seen({ phase: 'pending', runner: null, deadline: passed }))).toMatchObject({
    do: 'fail',
    failure: { code: 'no_runner_fits', message: expect.stringContaining('a runner with room') },
  })
})

test('an environment fails with the cause of the snapshot that it was to start from', () => {
  const sourceFailure = { code: 'disk_full' as const, message: 'snapshot base failed: no room' }
  expect(decide(seen({ phase: 'pending', runner: null, sourceFailure }))).toEqual({
    do: 'fail',
    failure: sourceFailure,
  })
})

test('after its deadline it fails, and the failure says what it waited for and where', () => {
  expect(decide(seen({ deadline: passed }))).toMatchObject({
    do: 'fail',
    failure: { code: 'deadline_passed', message: expect.stringContaining('provisioning on north') },
  })
})

test('a silent runner makes it unreachable; its return undoes that', () => {
  const silent = { ...host, silent: true }
  expect(decide(seen({ runner: silent, deadline: passed }))).toEqual({
    do: 'mark-unreachable',
    unreachable: true,
  })
  expect(decide(seen({ runner: silent, unreachable: true }))).toBeNull()
  expect(decide(seen({ unreachable: true }))).toEqual({ do: 'mark-unreachable', unreachable: false })
})

test('while its runner is silent, a machine with work on it has no deadline; on the runner’s return a new one begins', () => {
  const starting = { phase: 'starting' as const, deadline: ahead, now }
  expect(deadlineWhile({ ...starting, everReady: true }, true)).toBeNull()
  expect(deadlineWhile({ ...starting, everReady: true }, false)?.getTime()).toBe(now.getTime() + 600_000)
  expect(deadlineWhile({ ...starting, phase: 'running', everReady: true }, false)).toBeNull()
})

test('a machine that was never ready fails at its deadline on a silent runner, with the silence as cause', () => {
  expect(deadlineWhile({ phase: 'provisioning', deadline: ahead, now, everReady: false }, true)).toBe(ahead)
  const silent = { ...host, silent: true }
  expect(decide(seen({ runner: silent, unreachable: true, deadline: passed }))).toMatchObject({
    do: 'fail',
    failure: { code: 'runner_lost', message: expect.stringContaining('north went silent') },
  })
})

test('the runner is ordered to delete once, and again after each deadline', () => {
  const deleted = { desiredPhase: 'deleted' as const }
  expect(decide(seen({ ...deleted }))).toEqual({ do: 'begin-deletion' })
  expect(decide(seen({ ...deleted, phase: 'failed' }))).toEqual({ do: 'begin-deletion' })
  expect(decide(seen({ ...deleted, phase: 'deleting' }))).toBeNull()
  expect(decide(seen({ ...deleted, phase: 'deleting', deadline: passed }))).toMatchObject({
    do: 'repeat-deletion',
  })
})

test('a machine that no runner can remove is deleted at once: none has it, or a silent one learns of it when it returns', () => {
  expect(decide(seen({ desiredPhase: 'deleted', phase: 'pending', runner: null }))).toEqual({ do: 'forget' })
  expect(decide(seen({ desiredPhase: 'deleted', runner: { ...host, silent: true } }))).toEqual({
    do: 'forget',
  })
})

test('deleting a project deletes its machines', () => {
  expect(decide(seen({ projectDeleting: true, phase: 'running', deadline: null }))).toEqual({
    do: 'desire-deletion',
    reason: 'project_deleted',
  })
})

test('what a removed runner held is given up, claimed or not', () => {
  const removed = { ...host, silent: true, removed: true }
  expect(decide(seen({ phase: 'running', deadline: null, runner: removed }))).toEqual({
    do: 'desire-deletion',
    reason: 'runner_removed',
  })
  expect(decide(seen({ phase: 'running', desiredPhase: 'deleted', runner: removed }))).toEqual({
    do: 'forget',
  })
})

const anyState = fc.record({
  phase: fc.constantFrom(...environmentPhases),
  desiredPhase: fc.constantFrom(...desiredPhaseSchema.options),
  deadline: fc.constantFrom(null, passed, ahead),
  unreachable: fc.boolean(),
  everReady: fc.boolean(),
  projectDeleting: fc.boolean(),
  sourceFailure: fc.constant(null),
  runner: fc.constantFrom(
    null,
    host,
    { name: 'south', silent: true, removed: false },
    { name: 'west', silent: true, removed: true },
  ),
  kept: fc.option(
    fc.record({
      until: fc.constantFrom(passed, ahead),
      endsFor: fc.constantFrom('test_over' as const, 'inspection_over' as const),
    }),
  ),
  now: fc.constant(now),
})

test('no action makes a transition that the phase table forbids', () => {
  fc.assert(
    fc.property(anyState, (state) => {
      const action = decide(state)
      if (action?.do === 'fail') expect(state.phase === 'failed' || mayMove(state.phase, 'failed')).toBe(true)
      if (action?.do === 'begin-deletion') expect(mayMove(state.phase, 'deleting')).toBe(true)
      if (action?.do === 'place') expect(state.phase).toBe('pending')
    }),
  )
})

test('a deleted environment is left alone in every state', () => {
  fc.assert(
    fc.property(anyState, (state) => {
      expect(decide({ ...state, phase: 'deleted' })).toBeNull()
    }),
  )
})

test('every phase that waits has a deadline and says what it waits for, and leads to deletion', () => {
  for (const phase of environmentPhases) {
    const rule = environmentPhaseTable[phase]
    expect(rule.deadlineSeconds === null).toBe(rule.waitsFor === null)
    if (phase !== 'deleted' && phase !== 'deleting') expect(mayMove(phase, 'deleting')).toBe(true)
    expect(mayMove(phase, phase)).toBe(false)
  }
  expect(environmentPhases.filter((phase) => environmentPhaseTable[phase].to.length === 0)).toEqual([
    'deleted',
  ])
})

test('a test machine, or an inspected one, goes when it has been kept long enough, ready or failed, and not before', () => {
  for (const phase of ['running', 'failed', 'stopped'] as const) {
    for (const endsFor of ['test_over', 'inspection_over'] as const) {
      expect(decide(seen({ phase, deadline: null, kept: { until: passed, endsFor } }))).toEqual({
        do: 'desire-deletion',
        reason: endsFor,
      })
      expect(decide(seen({ phase, deadline: null, kept: { until: ahead, endsFor } }))).toBeNull()
    }
  }
})
