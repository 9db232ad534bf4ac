import {
  type ProcessPhase,
  type ProcessRun,
  processPhases,
  type Service,
  serviceSchema,
  type Task,
  targetStateSchema,
  taskSchema,
} from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { expect, test } from 'vitest'
import type { ProcessRow } from '../process/index.ts'
import { targetsOf } from './process-targets.ts'
import { later, start } from './session.fixture.ts'
import { targetOfService, targetOfTask } from './targets.ts'

const time = (seconds: number) => later(seconds).toISOString()
const run = (change: Partial<ProcessRun> = {}): ProcessRun => ({
  number: 1,
  startedAt: time(1),
  readyAt: null,
  finishedAt: null,
  cause: null,
  exitCode: null,
  signal: null,
  outputBytes: 0,
  output: '',
  ...change,
})
const ended = (exitCode: number) => run({ finishedAt: time(9), cause: 'exit', exitCode })

interface Sight {
  phase: ProcessPhase
  run?: ProcessRun | null
  failure?: string
  waitsFor?: string
  createdAt?: string
}

/** What tasks and services have alike. */
function resource(
  kind: 'Task' | 'Service',
  { phase, run: shown = null, failure, waitsFor, createdAt }: Sight,
) {
  return {
    kind,
    metadata: {
      id: newId(),
      organizationId: newId(),
      name: 'web',
      creator: null,
      createdAt: createdAt ?? time(-600),
      updatedAt: time(0),
      labels: {},
    },
    spec: {
      command: 'make',
      dependsOn: ['db'],
      on: 'manual',
      restart: { policy: 'never' },
      environmentId: newId(),
      desired: 'run',
      request: 1,
      isDeclared: true,
    },
    specVersion: 1,
    status: {
      phase,
      runs: shown === null ? 0 : 1,
      restarts: 0,
      run: shown,
      waitsFor: waitsFor ?? null,
      nextRunAt: null,
      observedSpecVersion: 1,
      failure: failure === undefined ? null : { code: 'command_failed', message: failure },
      deadline: null,
    },
    statusVersion: 1,
  }
}
const task = (sight: Sight): Task => taskSchema.parse(resource('Task', sight))
const service = (sight: Sight): Service => serviceSchema.parse(resource('Service', sight))
const noGrace = { seconds: null, from: start }
const stateOfService = (
  sight: Sight,
  grace: Parameters<typeof targetOfService>[1] = noGrace,
  now = later(60),
) => targetOfService(service(sight), grace, now).state

test('a task is a job and a service a server, named for what it is of', () => {
  expect(targetOfTask(task({ phase: 'idle' }))).toEqual({
    name: 'web:update',
    type: 'job',
    resources: ['web'],
    state: { kind: 'none' },
  })
  expect(targetOfService(service({ phase: 'idle' }), noGrace, start)).toMatchObject({
    name: 'web:serve',
    type: 'server',
    resources: ['web'],
  })
})

test.each<[promise: string, Sight, state: object]>([
  ['that was never asked to run has no state', { phase: 'idle' }, { kind: 'none' }],
  [
    'that waits for its machine says so',
    { phase: 'pending', waitsFor: 'its machine to run' },
    { kind: 'waiting', reason: 'machine', message: 'its machine to run' },
  ],
  [
    'that waits for another says which',
    { phase: 'pending', waitsFor: 'service db to be ready' },
    { kind: 'waiting', reason: 'dependency', message: 'service db to be ready' },
  ],
  ['that waits for nothing special is queued', { phase: 'pending' }, { kind: 'waiting', reason: 'queued' }],
  ['whose runner has not begun is queued', { phase: 'starting' }, { kind: 'waiting', reason: 'queued' }],
  [
    'that runs is active, and never ready',
    { phase: 'running', run: run({ readyAt: time(2) }) },
    { kind: 'active', startedAt: time(1), ready: false },
  ],
  ['that is being stopped is active', { phase: 'stopping', run: run() }, { kind: 'active' }],
  [
    'that is run once more waits, and says why',
    { phase: 'restarting', run: ended(2) },
    { kind: 'waiting', reason: 'restart', message: 'it ended with exit code 2' },
  ],
  [
    'that succeeded has ended well',
    { phase: 'succeeded', run: ended(0) },
    { kind: 'terminated', startedAt: time(1), finishedAt: time(9), error: null, grace: null },
  ],
  [
    'that failed has its failure',
    { phase: 'failed', run: ended(3), failure: 'exit code 3 after 9 s' },
    { kind: 'terminated', error: 'exit code 3 after 9 s' },
  ],
  [
    'that failed without words has its cause',
    { phase: 'failed', run: ended(3) },
    { error: 'it ended with exit code 3' },
  ],
  [
    'that was killed has the signal',
    { phase: 'failed', run: run({ finishedAt: time(9), cause: 'signal', signal: 'SIGKILL' }) },
    { error: 'it was ended by SIGKILL' },
  ],
  [
    'that never started has no times',
    { phase: 'failed' },
    { startedAt: null, finishedAt: null, error: 'it did not start' },
  ],
  [
    'that was stopped did not end well',
    { phase: 'stopped', run: run({ finishedAt: time(9), cause: 'stopped' }) },
    { error: 'it was stopped' },
  ],
  [
    'between two runs of its schedule has the last one’s end',
    { phase: 'idle', run: ended(0) },
    { kind: 'terminated', error: null },
  ],
  [
    'whose last run failed has that',
    { phase: 'idle', run: ended(4) },
    { error: 'it ended with exit code 4' },
  ],
])('a task %s', (_, sight, state) => {
  expect(targetOfTask(task(sight)).state).toMatchObject(state)
})

test.each<[promise: string, Sight, state: object]>([
  [
    'that starts is active, and not ready',
    { phase: 'starting', run: run() },
    { kind: 'active', ready: false, lastReadyAt: null },
  ],
  [
    'that runs is ready, since it was',
    { phase: 'running', run: run({ readyAt: time(2) }) },
    { kind: 'active', ready: true, lastReadyAt: time(2) },
  ],
  [
    'that is started again has ended, with an error',
    { phase: 'restarting', run: ended(1) },
    { kind: 'terminated', error: 'it ended with exit code 1' },
  ],
  [
    'that ended well has an error too',
    { phase: 'succeeded', run: ended(0) },
    { error: 'it ended with exit code 0' },
  ],
  [
    'that was stopped has one',
    { phase: 'stopped', run: run({ finishedAt: time(9), cause: 'stopped' }) },
    { error: 'it was stopped' },
  ],
])('a service %s', (_, sight, state) => {
  expect(stateOfService(sight)).toMatchObject(state)
})

test('every phase has exactly one state, with and without a run', () => {
  for (const phase of processPhases)
    for (const shown of [null, run(), ended(0), ended(1)]) {
      const sight = { phase, run: shown }
      for (const state of [targetOfTask(task(sight)).state, stateOfService(sight)])
        expect(targetStateSchema.safeParse(state)).toMatchObject({ success: true })
    }
})

test('a service has its grace from the later of its own and the session’s beginning', () => {
  const sight: Sight = { phase: 'restarting', run: ended(1) }
  const grace = { seconds: 30, from: start }
  expect(stateOfService(sight, grace, later(29))).toMatchObject({ grace: 'tolerated' })
  expect(stateOfService(sight, grace, later(30))).toMatchObject({ grace: 'exceeded' })
  const young = { ...sight, createdAt: time(20) }
  expect(stateOfService(young, grace, later(49))).toMatchObject({ grace: 'tolerated' })
  expect(stateOfService(young, grace, later(50))).toMatchObject({ grace: 'exceeded' })
  expect(stateOfService(sight, noGrace, later(1))).toMatchObject({ grace: null })
})

/** As it is stored, since the given second of the session. */
function row(kind: 'task' | 'service', sight: Sight, since: number): ProcessRow {
  const { metadata, spec } = kind === 'task' ? task(sight) : service(sight)
  const { environmentId, desired, request, ...definition } = spec
  const shown = sight.run == null ? null : { ...sight.run, request: 1 }
  return {
    ...({} as ProcessRow),
    id: metadata.id,
    organization_id: metadata.organizationId,
    name: metadata.name,
    creator: null,
    labels: {},
    created_at: new Date(metadata.createdAt),
    updated_at: start,
    spec: { kind, ...definition } as ProcessRow['spec'],
    spec_version: 1,
    status: {
      runs: 0,
      restarts: 0,
      run: shown,
      waitsFor: null,
      failure: null,
      observedSpecVersion: 1,
      isQueued: false,
    },
    status_version: 1,
    kind,
    environment_id: environmentId,
    phase: sight.phase,
    phase_since: later(since),
    desired,
    request,
  }
}

test('what is tolerated is looked at again when it is not any more', () => {
  const failing = [row('service', { phase: 'restarting', run: ended(1) }, 9)]
  const grace = { seconds: 30, from: start }
  expect(targetsOf(failing, grace, later(10)).next).toEqual(later(30))
  expect(targetsOf(failing, grace, later(40)).next).toBeNull()
  expect(targetsOf([row('task', { phase: 'idle' }, 0), ...failing], noGrace, later(10))).toMatchObject({
    next: null,
    targets: [{ name: 'web:update' }, { name: 'web:serve', state: { kind: 'terminated' } }],
  })
})

test('what had ended before the session began was not asked to run in it; what still ran is', () => {
  const stateSince = (kind: 'task' | 'service', sight: Sight, since: number) =>
    targetsOf([row(kind, sight, since)], noGrace, later(60)).targets[0]?.state.kind
  expect(stateSince('task', { phase: 'failed', run: ended(1) }, -1)).toBe('none')
  expect(stateSince('task', { phase: 'failed', run: ended(1) }, 9)).toBe('terminated')
  expect(stateSince('task', { phase: 'idle', run: ended(1) }, -1)).toBe('none')
  expect(stateSince('task', { phase: 'running', run: run() }, -1)).toBe('active')
  expect(stateSince('service', { phase: 'stopped', run: ended(1) }, -1)).toBe('none')
  expect(stateSince('service', { phase: 'running', run: run() }, -1)).toBe('active')
})
