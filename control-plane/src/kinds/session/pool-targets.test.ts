import {
  type Prebuild,
  type PrebuildPhase,
  prebuildPhases,
  targetStateSchema,
  type WarmPool,
  type WarmPoolPhase,
} from '@hearth/contract'
import { expect, test } from 'vitest'
import { targetOfPool, targetOfPrebuild } from './pool-targets.ts'
import { later } from './session.fixture.ts'

const time = (seconds: number) => later(seconds).toISOString()
const pool = (phase: WarmPoolPhase, message?: string) =>
  ({
    metadata: { name: 'shop-small' },
    status: { phase, failure: message === undefined ? null : { code: 'boots_keep_failing', message } },
  }) as WarmPool

test('a pool is a job that ends when it is full, and keeps its times', () => {
  const filling = targetOfPool(pool('filling'), undefined, later(1))
  expect(filling).toMatchObject({ name: 'shop-small:update', type: 'job', resources: ['shop-small'] })
  const later2 = targetOfPool(pool('filling'), filling.state, later(2))
  expect(later2.state).toMatchObject({ kind: 'active', startedAt: time(1) })
  const ready = targetOfPool(pool('ready'), later2.state, later(3))
  expect(ready.state).toMatchObject({
    kind: 'terminated',
    startedAt: time(1),
    finishedAt: time(3),
    error: null,
  })
  expect(targetOfPool(pool('ready'), ready.state, later(4))).toEqual(ready)
})

test('one that gave up has its cause; one that is switched off is disabled', () => {
  expect(targetOfPool(pool('failed', 'npm ci ended with 1'), undefined, later(1)).state).toMatchObject({
    error: 'npm ci ended with 1',
  })
  expect(targetOfPool(pool('disabled'), undefined, later(1)).state).toEqual({ kind: 'disabled' })
  expect(targetOfPool(pool('deleting'), undefined, later(1)).state).toEqual({ kind: 'none' })
})

test('every phase of a prebuild has exactly one state', () => {
  const stateIn = (phase: PrebuildPhase, startedAt: string | null) => {
    const status = { phase, startedAt, completedAt: time(9), failure: null }
    return targetOfPrebuild({ metadata: { name: 'p' }, status } as Prebuild, ['shop-small'])
  }
  for (const phase of prebuildPhases)
    for (const startedAt of [null, time(1)])
      expect(targetStateSchema.safeParse(stateIn(phase, startedAt).state)).toMatchObject({ success: true })
  expect(stateIn('completed', time(1))).toEqual({
    name: 'p:update',
    type: 'job',
    resources: ['shop-small'],
    state: { kind: 'terminated', startedAt: time(1), finishedAt: time(9), error: null, grace: null },
  })
  expect(stateIn('failed', time(1)).state).toMatchObject({ error: 'it failed' })
})
