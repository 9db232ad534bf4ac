import { expect, test } from 'vitest'
import { deadlineOf, decide, type SeenHolder, type SeenSnapshot } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const passed = new Date(now.getTime() - 1)
const ahead = new Date(now.getTime() + 60_000)

const holder = (change: Partial<SeenHolder> = {}): SeenHolder => ({
  runnerId: 'n',
  runner: 'north',
  phase: 'pending',
  failure: null,
  keptBy: [],
  unordered: false,
  silent: false,
  removed: false,
  agentVersion: '1.2',
  workKinds: ['environment', 'snapshot'],
  ...change,
})
const seen = (change: Partial<SeenSnapshot> = {}): SeenSnapshot => ({
  phase: 'pending',
  desiredPhase: 'ready',
  deadline: ahead,
  projectDeleting: false,
  holders: [holder()],
  now,
  ...change,
})

test('a snapshot follows the runner that makes it, and is ready with the first that has it', () => {
  expect(decide(seen())).toBeNull()
  expect(decide(seen({ holders: [holder({ phase: 'creating' })] }))).toEqual({ do: 'move', to: 'creating' })
  expect(decide(seen({ phase: 'creating', holders: [holder({ phase: 'creating' })] }))).toBeNull()
  const holders = [holder({ phase: 'failed' }), holder({ runnerId: 's', phase: 'present' })]
  expect(decide(seen({ holders }))).toEqual({ do: 'move', to: 'ready' })
})

test('a snapshot fails with the cause that its runner gives, once no runner is left that makes it', () => {
  const failure = { code: 'disk_full' as const, message: 'no room' }
  const failed = holder({ phase: 'failed', failure })
  expect(decide(seen({ holders: [failed] }))).toEqual({ do: 'fail', failure })
  expect(decide(seen({ holders: [failed, holder({ runnerId: 's', phase: 'copying' })] }))).toEqual({
    do: 'move',
    to: 'creating',
  })
})

test('an agent that does not know snapshots fails one at once, and the cause names its version', () => {
  expect(decide(seen({ holders: [holder({ workKinds: ['environment'] })] }))).toMatchObject({
    do: 'fail',
    failure: { code: 'host_refused', message: expect.stringContaining('north (version 1.2)') },
  })
  expect(decide(seen({ holders: [holder({ workKinds: null })] }))).toBeNull()
})

test('after its deadline a snapshot fails, and the cause names the runner, its agent and what it was to do', () => {
  expect(decide(seen({ deadline: passed }))).toMatchObject({
    do: 'fail',
    failure: {
      code: 'deadline_passed',
      message: 'it waited for north (agent 1.2) to begin until its deadline passed',
    },
  })
  expect(decide(seen({ deadline: passed, holders: [holder({ silent: true })] }))).toMatchObject({
    failure: { code: 'runner_lost', message: expect.stringContaining('north went silent') },
  })
})

test('a runner that is removed takes its layer along; without any the snapshot is lost', () => {
  const removed = holder({ phase: 'present', removed: true, silent: true })
  const ready = seen({ phase: 'ready', deadline: null })
  expect(decide({ ...ready, holders: [removed, holder({ runnerId: 's', phase: 'present' })] })).toEqual({
    do: 'forget-holders',
    runnerIds: ['n'],
  })
  expect(decide({ ...ready, holders: [] })).toMatchObject({ do: 'fail', failure: { code: 'runner_lost' } })
})

test('a runner that is silent keeps what it holds', () => {
  const holders = [holder({ phase: 'present', silent: true })]
  expect(decide(seen({ phase: 'ready', deadline: null, holders }))).toBeNull()
})

test('a snapshot goes with its project', () => {
  const ready = seen({ phase: 'ready', holders: [holder({ phase: 'present' })], projectDeleting: true })
  expect(decide(ready)).toEqual({ do: 'desire-deletion', reason: 'project_deleted' })
})

test('an unwanted snapshot is deleted when no runner has it: a silent one learns of it on its return', () => {
  const going = seen({ phase: 'ready', desiredPhase: 'deleted', holders: [holder({ phase: 'present' })] })
  expect(decide(going)).toEqual({ do: 'begin-deletion' })
  const deleting = { ...going, phase: 'deleting' as const }
  expect(decide(deleting)).toBeNull()
  expect(decide({ ...deleting, holders: [] })).toEqual({ do: 'move', to: 'deleted' })
  expect(decide({ ...deleting, holders: [holder({ silent: true })] })).toMatchObject({ do: 'forget-holders' })
})

test('a deletion that takes long is asked for again; in use is no failure', () => {
  const deleting = seen({ phase: 'deleting', desiredPhase: 'deleted', deadline: passed })
  expect(decide(deleting)).toMatchObject({
    do: 'repeat-deletion',
    failure: { code: 'deadline_passed', message: expect.stringContaining('north (agent 1.2) to remove it') },
  })
  const holders = [holder({ phase: 'deleting', keptBy: ['environment'] })]
  expect(decide({ ...deleting, holders })).toEqual({ do: 'repeat-deletion', failure: null })
})

test('every phase that waits has an end', () => {
  expect(deadlineOf('pending', now)?.getTime()).toBe(now.getTime() + 120_000)
  expect(deadlineOf('creating', now)?.getTime()).toBe(now.getTime() + 600_000)
  expect(deadlineOf('ready', now)).toBeNull()
})
