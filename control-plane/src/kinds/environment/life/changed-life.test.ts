import { noLifeCap } from '@hearth/contract'
import { expect, test } from 'vitest'
import { changedLife, newLife } from './life.ts'

const began = new Date('2026-12-01T08:00:00Z')
const now = new Date('2026-12-01T09:00:00Z')
const said = { lifetimeSeconds: 28_800, idleSeconds: 1_800 }
const life = newLife([said], noLifeCap, began)

test('what is not said stays, also an end that was put off', () => {
  const extended = life && {
    ...life,
    endsAt: '2026-12-02T00:00:00.000Z',
    keptUntil: '2026-12-01T10:00:00.000Z',
  }
  expect(changedLife(extended, { idleThen: 'stop' }, noLifeCap, now)).toMatchObject({
    ...said,
    idleThen: 'stop',
    endsAt: '2026-12-02T00:00:00.000Z',
    keptUntil: '2026-12-01T10:00:00.000Z',
    activeAt: now.toISOString(),
  })
})

test('a lifetime is counted from the beginning, and what was announced is announced anew', () => {
  const warned = life && {
    ...life,
    announced: { idle: { due: began.toISOString(), at: began.toISOString() } },
  }
  expect(changedLife(warned, { lifetimeSeconds: 7_200 }, noLifeCap, now)).toMatchObject({
    endsAt: '2026-12-01T10:00:00.000Z',
    announced: {},
  })
})

test('one that had no end gets one from now on, and one whose ends are taken away has none', () => {
  expect(changedLife(null, { idleSeconds: 600 }, noLifeCap, now)).toMatchObject({
    beganAt: now.toISOString(),
  })
  expect(changedLife(life, { lifetimeSeconds: null, idleSeconds: null }, noLifeCap, now)).toBeNull()
})

test('a cap holds for what is taken away too', () => {
  const cap = { lifetimeSeconds: 3_600, idleSeconds: null }
  expect(changedLife(life, { lifetimeSeconds: null }, cap, now)).toMatchObject({ lifetimeSeconds: 3_600 })
})
