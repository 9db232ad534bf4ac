import { type Session, sessionSchema, type TargetState, waitReasonSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { describe, expect, test } from 'vitest'
import { microTime, secondTime } from './micro-time.ts'
import { toTable } from './table.ts'
import { tiltSessionSchema, toTiltSession } from './translate.ts'

const time = '2026-01-01T12:00:00.123Z'
const micro = '2026-01-01T12:00:00.123000Z'

const session = (states: TargetState[], change: Partial<Session['status']> = {}): Session =>
  sessionSchema.parse({
    kind: 'Session',
    metadata: {
      id: newId(),
      organizationId: newId(),
      name: 'shop-4f1a2b',
      creator: null,
      createdAt: time,
      updatedAt: time,
      labels: { app: 'shop' },
    },
    spec: {
      desired: 'open',
      file: '/home/me/hearth.yaml',
      exitCondition: 'ci',
      ci: { gracePeriodSeconds: 30, timeoutSeconds: 1_800, readinessTimeoutSeconds: null },
      projectId: null,
      environmentId: null,
      claimId: null,
      detached: false,
    },
    specVersion: 2,
    status: {
      phase: 'open',
      processId: 7,
      startedAt: time,
      leaseEndsAt: null,
      targets: states.map((state, index) => ({
        name: `t${index}`,
        type: 'server',
        resources: ['web'],
        state,
      })),
      done: false,
      error: null,
      revision: 41,
      observedSpecVersion: 2,
      failure: null,
      deadline: null,
      ...change,
    },
    statusVersion: 3,
  })
const stateOf = (state: TargetState) => toTiltSession(session([state])).status.targets[0]?.state

test('every field has its place', () => {
  const native = session([{ kind: 'none' }], { done: true, error: 'exit code 3' })
  expect(toTiltSession(native)).toEqual({
    kind: 'Session',
    apiVersion: 'tilt.dev/v1alpha1',
    metadata: {
      name: 'shop-4f1a2b',
      uid: native.metadata.id,
      resourceVersion: '41',
      generation: 2,
      creationTimestamp: '2026-01-01T12:00:00Z',
      labels: { app: 'shop' },
    },
    spec: {
      tiltfilePath: '/home/me/hearth.yaml',
      exitCondition: 'ci',
      ci: { k8sGracePeriod: '30s', timeout: '30m0s' },
    },
    status: {
      pid: 7,
      startTime: micro,
      targets: [{ name: 't0', type: 'server', resources: ['web'], state: {} }],
      done: true,
      error: 'exit code 3',
    },
  })
})

test('what is not known of a caller is zero, and what is not limited is left out', () => {
  const { spec, ...native } = session([], { processId: null })
  const limits = { gracePeriodSeconds: null, timeoutSeconds: null, readinessTimeoutSeconds: null }
  expect(toTiltSession({ ...native, spec: { ...spec, ci: limits } })).toMatchObject({
    spec: { ci: {} },
    status: { pid: 0 },
  })
  const manual = toTiltSession({ ...native, spec: { ...spec, exitCondition: 'manual', ci: null } })
  expect(manual.spec).toEqual({ tiltfilePath: '/home/me/hearth.yaml', exitCondition: 'manual' })
  expect(manual.status).not.toHaveProperty('error')
})

describe('a state', () => {
  test.each<[TargetState, object]>([
    [{ kind: 'none' }, {}],
    [{ kind: 'disabled' }, { disabled: {} }],
    [
      { kind: 'active', startedAt: time, ready: false, lastReadyAt: null },
      { active: { startTime: micro, ready: false, lastReadyTime: null } },
    ],
    [
      { kind: 'active', startedAt: time, ready: true, lastReadyAt: time },
      { active: { startTime: micro, ready: true, lastReadyTime: micro } },
    ],
    [
      { kind: 'terminated', startedAt: time, finishedAt: time, error: null, grace: null },
      { terminated: { startTime: micro, finishTime: micro } },
    ],
    [
      { kind: 'terminated', startedAt: null, finishedAt: null, error: 'crash', grace: 'tolerated' },
      { terminated: { startTime: null, finishTime: null, error: 'crash', graceStatus: 'Tolerated' } },
    ],
    [
      { kind: 'terminated', startedAt: null, finishedAt: null, error: 'crash', grace: 'exceeded' },
      { terminated: { startTime: null, finishTime: null, error: 'crash', graceStatus: 'Exceeded' } },
    ],
  ])('%j is exactly one, or none', (state, expected) => {
    expect(stateOf(state)).toEqual(expected)
    expect(Object.keys(stateOf(state) ?? {}).length).toBeLessThanOrEqual(1)
  })

  test('of waiting has one of the reasons that are known', () => {
    const known = [
      'initial-build',
      'waiting-for-dep',
      'waiting-for-cluster',
      'building-component',
      'reconciling',
      'config-changed',
      'unknown',
    ]
    const said = waitReasonSchema.options.map(
      (reason) => stateOf({ kind: 'waiting', reason, message: null })?.waiting?.waitReason,
    )
    expect(said.toSorted()).toEqual(known.toSorted())
  })
})

test('what is translated is what is documented', () => {
  expect(tiltSessionSchema.safeParse(toTiltSession(session([{ kind: 'none' }])))).toMatchObject({
    success: true,
  })
})

test.each([
  ['2026-01-01T12:00:00Z', '2026-01-01T12:00:00.000000Z'],
  ['2026-01-01T12:00:00.5Z', '2026-01-01T12:00:00.500000Z'],
  ['2026-01-01T12:00:00.123456789Z', '2026-01-01T12:00:00.123456Z'],
])('%s has six digits', (given, expected) => {
  expect(microTime(given)).toBe(expected)
  expect(secondTime(given)).toBe('2026-01-01T12:00:00Z')
})

test('a row counts the targets that are well, and says how old the session is', () => {
  const shown = toTiltSession(
    session([
      { kind: 'none' },
      { kind: 'waiting', reason: 'queued', message: null },
      { kind: 'active', startedAt: time, ready: true, lastReadyAt: time },
      { kind: 'active', startedAt: time, ready: false, lastReadyAt: null },
      { kind: 'terminated', startedAt: time, finishedAt: time, error: 'crash', grace: null },
    ]),
  )
  const cellsAfter = (seconds: number) => {
    const now = new Date(Date.parse('2026-01-01T12:00:00Z') + seconds * 1_000)
    const table = toTable([shown], {}, { apiVersion: 'meta.k8s.io/v1', include: 'None', now })
    return (table as { rows: { cells: unknown[] }[] }).rows[0]?.cells
  }
  expect(cellsAfter(12)).toEqual(['shop-4f1a2b', 'ci', false, '2/5', '', '12s'])
  expect([-5, 119, 120, 7_200, 200_000].map((seconds) => cellsAfter(seconds)?.[5])).toEqual([
    '0s',
    '119s',
    '2m',
    '2h',
    '2d',
  ])
})
