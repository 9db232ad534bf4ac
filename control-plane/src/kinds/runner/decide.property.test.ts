import { runnerPhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type SeenRunner, silenceEnd, staysLeft } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const lease = 30_000
const time = fc.integer({ min: -120_000, max: 0 }).map((offset) => new Date(now.getTime() + offset))
const anyRunner: fc.Arbitrary<SeenRunner> = fc.record({
  phase: fc.constantFrom(...runnerPhases),
  scheduling: fc.constantFrom('enabled' as const, 'cordoned' as const, 'draining' as const),
  lastSeenAt: fc.option(time),
  listeningSince: fc.option(time),
  degraded: fc.boolean(),
  left: fc.boolean(),
  leaseMilliseconds: fc.constant(lease),
  now: fc.constant(now),
})

test('from every state, a decision that was carried out is decided again', () => {
  fc.assert(
    fc.property(anyRunner, (seen) => {
      const phase = decide(seen)
      expect(decide({ ...seen, phase })).toBe(phase)
    }),
    { numRuns: 1_000 },
  )
})

test('a removed runner stays removed, one that was never heard is new, and one just heard is not offline', () => {
  fc.assert(
    fc.property(anyRunner, (seen) => {
      if (seen.phase === 'deleted') expect(decide(seen)).toBe('deleted')
      else if (seen.lastSeenAt === null) expect(decide(seen)).toBe('created')
      else if (staysLeft({ ...seen, lastSeenAt: seen.lastSeenAt }))
        expect(decide(seen) === 'offline').toBe(seen.left)
    }),
    { numRuns: 1_000 },
  )
})

test('a silent runner is offline once the control plane has listened for as long as its lease', () => {
  fc.assert(
    fc.property(anyRunner, time, (seen, listeningSince) => {
      const lastSeenAt = seen.lastSeenAt ?? now
      fc.pre(seen.phase !== 'deleted')
      const end = silenceEnd({ lastSeenAt, listeningSince, leaseMilliseconds: lease })
      if (end === null) expect.unreachable('someone listens')
      expect(decide({ ...seen, lastSeenAt, listeningSince, now: end })).toBe('offline')
      const before = new Date(end.getTime() - 1)
      const wasOffline = seen.phase === 'offline' || seen.left
      if (!wasOffline)
        expect(decide({ ...seen, lastSeenAt, listeningSince, now: before })).not.toBe('offline')
    }),
    { numRuns: 500 },
  )
})
