import { expect, test } from 'vitest'
import { lifeFaults, lifeSpecSchema, noLifeCap, settleLife, warningSeconds } from './life.ts'

const hour = 3_600

test('the nearest that says a field counts for it, and no end is said like one', () => {
  const claim = { idleSeconds: null }
  const pool = { lifetimeSeconds: 2 * hour, idleSeconds: 60 }
  const project = { lifetimeSeconds: hour, lifetimeThen: 'stop' as const }
  expect(settleLife([claim, pool, undefined, null, project], noLifeCap)).toEqual({
    ...{ lifetimeSeconds: 2 * hour, lifetimeThen: 'stop' },
    ...{ idleSeconds: null, idleThen: 'suspend' },
  })
})

test('the cap holds where nobody says a span, where no end is asked for, and where too long a one is', () => {
  const cap = { lifetimeSeconds: hour, idleSeconds: null }
  for (const said of [{}, { lifetimeSeconds: null }, { lifetimeSeconds: 2 * hour }])
    expect(settleLife([said], cap)).toMatchObject({ lifetimeSeconds: hour, idleSeconds: null })
  expect(lifeFaults({ lifetimeSeconds: hour + 1, idleSeconds: 99 * hour }, cap)).toEqual([
    { field: 'lifetimeSeconds', given: '3601', expected: 'at most 3600, the cap of the organization' },
  ])
  expect(lifeFaults({ lifetimeSeconds: hour }, cap)).toEqual([])
})

test.each([
  { lifetimeSeconds: 0 },
  { idleSeconds: 1.5 },
  { idleSeconds: 315_360_001 },
  { idleThen: 'pause' },
  { hours: 8 },
])('%o is refused', (life) => {
  expect(lifeSpecSchema.safeParse(life).success).toBe(false)
})

test('an end is announced ten minutes before it, and that of a short span at its half', () => {
  expect([8 * hour, 1_200, 600, 4].map(warningSeconds)).toEqual([600, 600, 300, 2])
})
