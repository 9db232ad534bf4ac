import { noLifeCap } from '@hearth/contract'
import { expect, test } from 'vitest'
import { decideLife } from './ends.ts'
import { later, newLife, type StoredLife, watched, withoutFuture } from './life.ts'

const now = new Date('2026-01-01T12:00:00Z')
const seconds = (count: number) => later(now, count)
const spec = { lifetimeSeconds: 100, idleSeconds: 50 } as const

function lifeFrom(began: Date): StoredLife {
  const life = newLife([spec], noLifeCap, began)
  if (life === null) throw new Error('this life has an end')
  return life
}

test('a life that began while the clock ran ahead begins and ends as much earlier', () => {
  const life = withoutFuture({ ...lifeFrom(seconds(1_000)), keptUntil: seconds(1_030).toISOString() }, now)
  expect(life).toMatchObject({
    beganAt: now.toISOString(),
    endsAt: seconds(100).toISOString(),
    keptUntil: seconds(30).toISOString(),
    activeAt: now.toISOString(),
  })
})

test('a machine is not used later than now, nor known to be unused, nor was its end announced then', () => {
  const ahead = watched(lifeFrom(seconds(-60)), 0, seconds(1_000))
  const announced = { idle: { due: seconds(1_050).toISOString(), at: seconds(1_040).toISOString() } }
  const life = withoutFuture({ ...ahead, announced }, now)
  expect(life).toMatchObject({ activeAt: now.toISOString(), watchedAt: null, announced: {} })
  expect(life.endsAt).toBe(seconds(40).toISOString())
})

test('what a runner said while the clock ran ahead does not end a machine for idleness', () => {
  const seen = { phase: 'running', desiredPhase: 'running', unreachable: false } as const
  const life = { ...lifeFrom(seconds(-40)), endsAt: null, watchedAt: seconds(1_000).toISOString() }
  expect(decideLife({ ...seen, life }, seconds(5)).action).not.toBeNull()
  expect(decideLife({ ...seen, life: withoutFuture(life, now) }, seconds(5)).action).toBeNull()
})

test('what is not ahead, but for two seconds, is left as it is', () => {
  const life = watched(lifeFrom(seconds(-10)), 0, seconds(1))
  expect(withoutFuture(life, now)).toBe(life)
})
