import { runnerPhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type SeenRunner, staysLeft } from './decide.ts'

const now = new Date('2026-01-01T00:01:00Z')
const seen = (change: Partial<SeenRunner>): SeenRunner => ({
  phase: 'active',
  scheduling: 'enabled',
  lastSeenAt: now,
  listeningSince: new Date(0),
  degraded: false,
  left: false,
  leaseMilliseconds: 30_000,
  now,
  ...change,
})

test('a runner is offline once its lease has passed, and not before', () => {
  expect(decide(seen({ lastSeenAt: new Date('2026-01-01T00:00:31Z') }))).toBe('active')
  expect(decide(seen({ lastSeenAt: new Date('2026-01-01T00:00:30Z') }))).toBe('offline')
})

test('an offline runner that is heard again is active, or draining if that was asked meanwhile', () => {
  expect(decide(seen({ phase: 'offline' }))).toBe('active')
  expect(decide(seen({ phase: 'offline', scheduling: 'draining' }))).toBe('draining')
})

test('a runner whose agent stopped in order is offline at once, and its machines are kept for the length of a lease', () => {
  expect(decide(seen({ left: true }))).toBe('offline')
  const lastSeenAt = new Date('2026-01-01T00:00:31Z')
  expect(staysLeft({ ...seen({}), lastSeenAt })).toBe(true)
  expect(staysLeft({ ...seen({}), lastSeenAt: new Date('2026-01-01T00:00:30Z') })).toBe(false)
})

test('a runner with too many failures is degraded, as long as it is heard and not draining', () => {
  expect(decide(seen({ degraded: true }))).toBe('degraded')
  expect(decide(seen({ degraded: true, scheduling: 'draining' }))).toBe('draining')
  expect(decide(seen({ degraded: true, lastSeenAt: new Date(0) }))).toBe('offline')
})

test('silence counts only from when the control plane listens: after a restart every runner gets a lease', () => {
  const long = { lastSeenAt: new Date('2026-01-01T00:00:00Z') }
  expect(decide(seen({ ...long, listeningSince: new Date('2026-01-01T00:00:31Z') }))).toBe('active')
  expect(decide(seen({ ...long, listeningSince: new Date('2026-01-01T00:00:30Z') }))).toBe('offline')
  expect(decide(seen({ ...long, listeningSince: null }))).toBe('active')
  expect(decide(seen({ ...long, listeningSince: null, phase: 'offline' }))).toBe('offline')
})

test('a decision that was carried out is decided again, in every phase', () => {
  const any = fc.record({
    phase: fc.constantFrom(...runnerPhases),
    scheduling: fc.constantFrom('enabled' as const, 'cordoned' as const, 'draining' as const),
    lastSeenAt: fc.option(fc.date({ noInvalidDate: true, min: new Date(0), max: now })),
    listeningSince: fc.option(fc.date({ noInvalidDate: true, min: new Date(0), max: now })),
    degraded: fc.boolean(),
    left: fc.boolean(),
    leaseMilliseconds: fc.constant(30_000),
    now: fc.constant(now),
  })
  fc.assert(
    fc.property(any, (state) => {
      expect(decide({ ...state, phase: decide(state) })).toBe(decide(state))
    }),
  )
})
