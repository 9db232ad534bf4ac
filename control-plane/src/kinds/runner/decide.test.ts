import { runnerPhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type ObservedRunner } from './decide.ts'

const now = new Date('2026-01-01T00:01:00Z')
const seen = (change: Partial<ObservedRunner>): ObservedRunner => ({
  phase: 'active',
  scheduling: 'enabled',
  lastSeenAt: now,
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

test('what was decided is decided again: a fixed point from every phase', () => {
  const any = fc.record({
    phase: fc.constantFrom(...runnerPhases),
    scheduling: fc.constantFrom('enabled' as const, 'cordoned' as const, 'draining' as const),
    lastSeenAt: fc.option(fc.date({ noInvalidDate: true, min: new Date(0), max: now })),
    now: fc.constant(now),
  })
  fc.assert(
    fc.property(any, (state) => {
      expect(decide({ ...state, phase: decide(state) })).toBe(decide(state))
    }),
  )
})
