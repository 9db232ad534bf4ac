import { environmentPhases, type Failure, prebuildPhases, prebuildPhaseTable } from '@hearth/contract'
import { describe, expect, test } from 'vitest'
import { decide, type SeenPrebuild } from './decide.ts'

const now = new Date('2026-06-01T12:00:00Z')
const before = new Date(now.getTime() - 1)
const failure: Failure = { code: 'command_failed', message: 'npm ci ended with 1', step: 'project_setup' }
type Machine = NonNullable<SeenPrebuild['environment']>

const machine = (phase: Machine['phase'], change: Partial<Machine> = {}): Machine => ({
  phase,
  going: false,
  unreachable: false,
  failure: null,
  ...change,
})
const none = { failed: 0, unexplained: 0 }
function seen(phase: SeenPrebuild['phase'], change: Partial<SeenPrebuild> = {}): SeenPrebuild {
  const environment = change.environment ?? null
  return {
    phase,
    desiredPhase: 'completed',
    projectDeleting: false,
    deadline: null,
    timeoutSeconds: 3_600,
    before: null,
    environment,
    tasks: { state: 'done' },
    snapshot: null,
    boots: { written: none, counted: none },
    templates: null,
    snapshots: [],
    machines: environment === null || environment.phase === 'deleted' ? [] : [environment],
    now,
    ...change,
  }
}
const making = { phase: 'making', going: false, failure: null } as const

describe('from its start to its end a prebuild', () => {
  test('starts when it is its turn, and waits while another is before it', () => {
    expect(decide(seen('pending'))).toEqual({ do: 'start' })
    expect(decide(seen('pending', { before: 'shop-small-1' }))).toBeNull()
  })

  test('waits for a runner, then for its steps', () => {
    expect(decide(seen('starting', { environment: machine('pending') }))).toBeNull()
    const provisioning = { environment: machine('provisioning') }
    expect(decide(seen('starting', provisioning))).toEqual({ do: 'move', to: 'running' })
    expect(decide(seen('running', provisioning))).toBeNull()
  })

  test('has its machine scrubbed when the steps have ended, and frozen when it is off', () => {
    expect(decide(seen('running', { environment: machine('running') }))).toEqual({ do: 'stop' })
    expect(decide(seen('stopping', { environment: machine('stopping') }))).toBeNull()
    expect(decide(seen('stopping', { environment: machine('stopped') }))).toEqual({ do: 'freeze' })
  })

  test('has its tasks run before that, then what they needed ended, and fails as one of them does', () => {
    const environment = machine('running')
    const running = (tasks: SeenPrebuild['tasks'], change: Partial<SeenPrebuild> = {}) =>
      decide(seen('running', { environment, tasks, ...change }))
    expect(running({ state: 'unbegun' })).toEqual({ do: 'run-tasks' })
    expect(running({ state: 'working', name: 'seed' })).toBeNull()
    expect(running({ state: 'serving', name: 'db' })).toEqual({ do: 'end-services' })
    expect(running({ state: 'failed', failure })).toEqual({ do: 'fail', failure })
    const late = running({ state: 'working', name: 'seed' }, { deadline: before })
    expect(late).toMatchObject({
      failure: { code: 'deadline_passed', message: expect.stringContaining('seed among them') },
    })
    expect(running({ state: 'working', name: 'seed' }, { environment: machine('suspended') })).toBeNull()
    expect(running({ state: 'working', name: 'seed' }, { environment: machine('stopped') })).toMatchObject({
      failure: { message: 'its environment was stopped before its tasks had ended' },
    })
  })

  test('never freezes a machine that it has not had scrubbed', () => {
    const stopped = { environment: machine('stopped') }
    expect(decide(seen('starting', stopped))).toEqual({ do: 'move', to: 'running' })
    expect(decide(seen('running', stopped))).toEqual({ do: 'stop' })
  })

  test('is complete when its snapshot is, and then lets its machine go and keeps the snapshot', () => {
    const environment = machine('stopped')
    expect(decide(seen('snapshotting', { environment, snapshot: making }))).toBeNull()
    const snapshot = { ...making, phase: 'ready' as const }
    expect(decide(seen('snapshotting', { environment, snapshot }))).toEqual({ do: 'move', to: 'completed' })
    expect(decide(seen('completed', { environment, snapshot }))).toEqual({ do: 'clear' })
    const going = { ...environment, going: true }
    expect(decide(seen('completed', { environment: going, snapshot }))).toBeNull()
  })
})

describe('a prebuild fails', () => {
  test.each(['starting', 'running', 'stopping'] as const)(
    'while %s with its machine, for its cause',
    (phase) => {
      const environment = machine('failed', { failure })
      expect(decide(seen(phase, { environment }))).toEqual({ do: 'fail', failure })
    },
  )

  test.each(['starting', 'running', 'stopping'] as const)(
    'while %s when somebody deletes its machine',
    (phase) => {
      for (const environment of [machine('running', { going: true }), null])
        expect(decide(seen(phase, { environment }))).toMatchObject({
          do: 'fail',
          failure: { message: `its environment was deleted while it was ${phase}` },
        })
    },
  )

  test('with the cause of its snapshot: a secret was found in it', () => {
    const found: Failure = {
      code: 'secret_found',
      message: 'secret TOKEN was found at byte 4096 of the layer',
    }
    const snapshot = { phase: 'failed' as const, going: false, failure: found }
    expect(decide(seen('snapshotting', { environment: machine('stopped'), snapshot }))).toEqual({
      do: 'fail',
      failure: found,
    })
  })

  test('when its snapshot is deleted before it is complete', () => {
    const environment = machine('stopped')
    for (const snapshot of [null, { ...making, going: true }])
      expect(decide(seen('snapshotting', { environment, snapshot }))).toMatchObject({ do: 'fail' })
  })

  test.each(prebuildPhases.filter((phase) => prebuildPhaseTable[phase].isTimed))(
    'while %s when its time is over, and says what was waited for, and that the runner is silent',
    (phase) => {
      const environment = machine('provisioning', { unreachable: true })
      const action = decide(seen(phase, { environment, snapshot: making, deadline: before }))
      expect(action).toMatchObject({ do: 'fail', failure: { code: 'deadline_passed' } })
      const { wait } = prebuildPhaseTable[phase]
      expect(action).toMatchObject({
        failure: {
          message: `it was ${phase} and waited for ${wait.waitsFor}, whose runner is silent until its time of 60 minutes was over`,
        },
      })
    },
  )

  test('while pending when its turn does not come', () => {
    expect(decide(seen('pending', { before: 'shop-small-1', deadline: before }))).toMatchObject({
      do: 'fail',
      failure: { message: expect.stringContaining('shop-small-1 was before it') },
    })
  })

  test('and then has its machine and its snapshot removed', () => {
    expect(decide(seen('failed', { environment: machine('failed') }))).toEqual({ do: 'clear' })
    const environment = machine('failed', { going: true })
    expect(decide(seen('failed', { environment }))).toBeNull()
    expect(decide(seen('failed', { environment, snapshot: making }))).toEqual({ do: 'clear' })
  })
})

describe('a prebuild that is cancelled', () => {
  test('before its start is cancelled at once, after its end not at all', () => {
    const desiredPhase = 'cancelled' as const
    expect(decide(seen('pending', { desiredPhase }))).toEqual({ do: 'move', to: 'cancelled' })
    for (const phase of ['completed', 'failed', 'cancelled'] as const)
      expect(decide(seen(phase, { desiredPhase })), phase).toBeNull()
  })

  test.each(['starting', 'running', 'stopping', 'snapshotting'] as const)(
    'while %s lets everything go and waits until it is gone, whatever its machine does',
    (phase) => {
      for (const is of environmentPhases) {
        const cancelled = { desiredPhase: 'cancelled', environment: machine(is), snapshot: making } as const
        expect(decide(seen(phase, cancelled)), is).toEqual({ do: 'move', to: 'cancelling' })
      }
    },
  )

  test('is cancelled when its machine is gone, and says when that takes too long', () => {
    expect(decide(seen('cancelling', { environment: machine('running') }))).toEqual({ do: 'clear' })
    const environment = machine('deleting', { going: true })
    expect(decide(seen('cancelling', { environment }))).toBeNull()
    expect(decide(seen('cancelling', { environment, deadline: before }))).toMatchObject({ do: 'remind' })
    expect(decide(seen('cancelling'))).toEqual({ do: 'move', to: 'cancelled' })
  })
})

describe('a prebuild that is deleted', () => {
  test.each(prebuildPhases.filter((phase) => phase !== 'deleting' && phase !== 'deleted'))(
    'while %s is deleting first, also with its project',
    (phase) => {
      const environment = machine('running')
      expect(decide(seen(phase, { desiredPhase: 'deleted', environment }))).toEqual({
        do: 'move',
        to: 'deleting',
      })
      expect(decide(seen(phase, { projectDeleting: true, environment }))).toEqual({
        do: 'move',
        to: 'deleting',
      })
    },
  )

  test('lets its machines and its snapshot go, and is deleted when the machines are', () => {
    const ready = { phase: 'ready' as const, going: false, failure: null }
    expect(decide(seen('deleting', { snapshot: ready }))).toEqual({ do: 'clear' })
    const template = { going: false }
    expect(decide(seen('deleting', { machines: [template] }))).toEqual({ do: 'clear' })
    expect(decide(seen('deleting', { machines: [{ going: true }] }))).toBeNull()
    const snapshot = { ...ready, going: true }
    expect(decide(seen('deleting', { snapshot }))).toEqual({ do: 'move', to: 'deleted' })
  })

  test.each(['deleting', 'cancelling'] as const)(
    'while %s waits until no runner has a layer of it',
    (phase) => {
      const layer = (isUsed: boolean) => ({ going: true, left: [{ runner: 'rack-1', isUsed }] })
      const wait = (isUsed: boolean, deadline: Date | null) =>
        decide(seen(phase, { snapshots: [layer(isUsed)], deadline }))
      expect(wait(false, null)).toBeNull()
      expect(wait(false, before)).toEqual({
        do: 'remind',
        failure: {
          code: 'deadline_passed',
          message: expect.stringContaining('to be removed on rack-1 until'),
        },
      })
      // What something stands on stays: that is no fault.
      expect(wait(true, before)).toEqual({ do: 'remind', failure: null })
      const staying = { snapshots: [{ ...layer(false), going: false }] }
      expect(decide(seen(phase, staying))).toEqual({ do: 'clear' })
      expect(decide(seen('deleted', { desiredPhase: 'deleted' }))).toBeNull()
    },
  )
})

test('of a complete one the machines that could not start from it are counted', () => {
  const count = (failed: number, unexplained: number) => ({ failed, unexplained })
  const counted = (written: number, known: number, unexplained = 0) =>
    decide(seen('completed', { boots: { written: count(written, 0), counted: count(known, unexplained) } }))
  expect(counted(0, 0)).toBeNull()
  expect(counted(1, 3)).toEqual({ do: 'count-boots', boots: count(3, 0) })
  expect(counted(2, 0)).toEqual({ do: 'count-boots', boots: count(0, 0) })
  expect(counted(2, 2, 1)).toEqual({ do: 'count-boots', boots: count(2, 1) })
})

test('of a complete one the memory is kept where machines are wanted', () => {
  const templates = { wantedRunnerIds: ['a'], templates: [], now }
  expect(decide(seen('completed', { templates }))).toEqual({
    do: 'template',
    action: { do: 'boot', runnerIds: ['a'] },
  })
  // First of all its own machine goes.
  expect(decide(seen('completed', { templates, environment: machine('stopped') }))).toEqual({ do: 'clear' })
})
