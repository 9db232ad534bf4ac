import type { Environment, Prebuild, PrebuildPhase, Snapshot, StepStatus } from '@hearth/contract'
import { expect, test } from 'vitest'
import { sampleMachine } from './pool-state.fixture.ts'
import { type PrebuildState, prebuildChanges, prebuildStage } from './prebuild-state.ts'

const now = new Date('2026-01-01T00:01:05Z')
const step = (phase: StepStatus['phase']): StepStatus => ({
  name: 'project_setup',
  repository: null,
  phase,
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  durationMilliseconds: phase === 'succeeded' ? 65_000 : null,
  exitCode: null,
  output: '',
  outputBytes: 0,
  error: null,
})
const machine = (phase: StepStatus['phase']): Environment => {
  const sample = sampleMachine('provisioning')
  return { ...sample, status: { ...sample.status, steps: [step(phase)], placement: 'on rack-1: it is free' } }
}
const searched = {
  status: { holders: [{ progress: { doneBytes: 3 * 1_048_576, totalBytes: 12 * 1_048_576 } }] },
} as unknown as Snapshot
const state = (phase: PrebuildPhase, change: Partial<PrebuildState> = {}): PrebuildState => ({
  prebuild: {
    metadata: { name: 'shop-small-1' },
    status: { phase, tasks: [] as Prebuild['status']['tasks'] },
  } as Prebuild,
  environment: null,
  snapshot: null,
  ...change,
})

test.each<[PrebuildState, string]>([
  [state('pending'), 'pending'],
  [state('starting', { environment: machine('pending') }), 'starting: on rack-1: it is free'],
  [state('running'), 'running'],
  [state('running', { environment: machine('running') }), 'running: project_setup, 1 min 5 s'],
  [
    state('running', {
      prebuild: {
        metadata: { name: 'shop-small-1' },
        status: {
          phase: 'running',
          tasks: [
            { id: '', kind: 'task', name: 'fetch', phase: 'succeeded', runs: 1 },
            { id: '', kind: 'task', name: 'seed', phase: 'running', runs: 1 },
            { id: '', kind: 'service', name: 'db', phase: 'running', runs: 1 },
          ],
        },
      } as Prebuild,
    }),
    'running: seed',
  ],
  [state('stopping', { environment: machine('succeeded') }), 'stopping'],
  [state('snapshotting'), 'snapshotting'],
  [state('snapshotting', { snapshot: searched }), 'snapshotting: 3 MiB of 12 MiB searched'],
  [state('completed', { snapshot: searched }), 'completed'],
])('what is done now is said with how far it is (%#)', (seen, stage) => {
  expect(prebuildStage(seen, now)).toBe(stage)
})

test('each phase and each step is told once', () => {
  const running = state('running', { environment: machine('running') })
  const done = state('stopping', { environment: machine('succeeded') })
  expect(prebuildChanges(null, state('pending'))).toEqual(['shop-small-1: pending'])
  expect(prebuildChanges(state('starting'), running)).toContain('shop-small-1: running')
  expect(prebuildChanges(running, running)).toEqual([])
  expect(prebuildChanges(running, done)).toEqual([
    expect.stringContaining('project_setup succeeded in'),
    'shop-small-1: stopping',
  ])
  // What becomes of its machine afterwards is no news.
  expect(prebuildChanges(done, state('completed', { environment: machine('failed') }))).toEqual([
    'shop-small-1: completed',
  ])
})
