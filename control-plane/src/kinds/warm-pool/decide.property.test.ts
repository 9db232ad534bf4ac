import { type EnvironmentPhase, environmentPhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sampleMember } from './decide.fixture.ts'
import { decide, type Member, type SeenPool } from './decide.ts'

const start = new Date('2026-01-01T12:00:00Z').getTime()
const minute = 60_000
const time = fc.integer({ min: -120, max: 0 }).map((minutes) => new Date(start + minutes * minute))
const restingPhases: Partial<Record<EnvironmentPhase, 'stopped' | 'suspended'>> = {
  stopping: 'stopped',
  stopped: 'stopped',
  suspending: 'suspended',
  suspended: 'suspended',
}
const anyMember = fc
  .record({
    phase: fc.constantFrom(...environmentPhases),
    current: fc.boolean(),
    abandoned: fc.constantFrom(null, 'runner_lost' as const, 'runner_drained' as const),
    paused: fc.boolean(),
    onTrial: fc.boolean(),
    createdAt: time,
    failedAt: fc.option(time),
  })
  .map((member) => ({
    ...member,
    desiredPhase: restingPhases[member.phase] ?? ('running' as const),
    notRested: false,
    readyAt: member.phase === 'running' ? member.createdAt : null,
    failedAt: member.phase === 'failed' ? (member.failedAt ?? member.createdAt) : null,
  }))
const anyPool: fc.Arbitrary<SeenPool> = fc.record({
  enabled: fc.boolean(),
  cleared: fc.boolean(),
  size: fc.integer({ min: 0, max: 6 }),
  running: fc.constant(null),
  rest: fc.constant('suspended' as const),
  restsAgainAt: fc.constant(null),
  maxAgeMinutes: fc.constant(null),
  deleting: fc.boolean(),
  trialDue: fc.constant(false),
  members: fc
    .array(anyMember, { maxLength: 10 })
    .map((members) =>
      members.map((member, index): Member => ({ ...member, id: `member-${index}`, runnerId: null })),
    ),
  recentBoots: fc.array(fc.record({ failed: fc.boolean(), at: time, failure: fc.constant(null) }), {
    maxLength: 4,
  }),
  bootRetryMilliseconds: fc.constant(10_000),
  now: fc.constant(new Date(start)),
})

const counts = (members: readonly Member[]) => ({
  ready: members.filter(
    ({ phase, abandoned, paused }) => phase === 'running' && abandoned === null && !paused,
  ).length,
  current: members.filter(
    ({ phase, abandoned, paused, current }) =>
      current &&
      abandoned === null &&
      !(paused && phase === 'running') &&
      ['pending', 'provisioning', 'starting', 'resuming', 'running'].includes(phase),
  ).length,
})

/** The pool after its decision, with what boots having come up; what was retired is on its way out and not seen. */
function after(seen: SeenPool, made: { count: number }): SeenPool {
  const { actions } = decide(seen)
  const retired = new Set(actions.flatMap((action) => (action.do === 'retire' ? [action.id] : [])))
  const created = actions.flatMap((action) =>
    action.do === 'create' ? Array.from({ length: action.count }) : [],
  )
  const kept = seen.members
    .filter(({ id }) => !retired.has(id))
    .map(
      (member): Member =>
        ['pending', 'provisioning', 'starting', 'resuming'].includes(member.phase)
          ? { ...member, phase: 'running', paused: false, readyAt: seen.now }
          : member,
    )
  const fresh = created.map(
    (_, index): Member =>
      sampleMember(`made-${made.count + index}`, { phase: 'pending', createdAt: seen.now, readyAt: null }),
  )
  made.count += created.length
  return { ...seen, members: [...kept, ...fresh], now: new Date(seen.now.getTime() + 10 * minute) }
}

test('where machines come up, a pool settles on exactly what it wants and then does nothing', () => {
  fc.assert(
    fc.property(anyPool, (pool) => {
      const target = pool.enabled && !pool.cleared && !pool.deleting ? pool.size : 0
      const made = { count: 0 }
      // Whether boots kept failing before is another matter: here they end well.
      let seen: SeenPool = { ...pool, recentBoots: [] }
      for (let round = 0; round < 40; round += 1) seen = after(seen, made)
      expect(decide(seen).actions).toEqual([])
      expect(counts(seen.members)).toEqual({ ready: target, current: target })
      expect(seen.members.filter(({ phase }) => phase === 'running').every(({ current }) => current)).toBe(
        true,
      )
      expect(made.count).toBeLessThanOrEqual(target)
    }),
    { numRuns: 300 },
  )
})

test('while members are replaced, no fewer are ready than before, or than are wanted', () => {
  fc.assert(
    fc.property(anyPool, (pool) => {
      const target = pool.enabled && !pool.cleared && !pool.deleting ? pool.size : 0
      const made = { count: 0 }
      let seen: SeenPool = pool
      for (let round = 0; round < 12; round += 1) {
        const before = counts(seen.members).ready
        seen = after(seen, made)
        expect(counts(seen.members).ready).toBeGreaterThanOrEqual(Math.min(before, target))
      }
    }),
    { numRuns: 300 },
  )
})

test('one decision retires only members, each once, and makes never more than are missing', () => {
  fc.assert(
    fc.property(anyPool, (pool) => {
      const decision = decide(pool)
      const retired = decision.actions.flatMap((action) => (action.do === 'retire' ? [action.id] : []))
      const created = decision.actions.reduce(
        (sum, action) => sum + (action.do === 'create' ? action.count : 0),
        0,
      )
      expect(new Set(retired).size).toBe(retired.length)
      for (const id of retired) expect(pool.members.some((member) => member.id === id)).toBe(true)
      const { current } = counts(pool.members)
      expect(created).toBeLessThanOrEqual(Math.max(0, pool.size - current))
      if (!pool.enabled || pool.cleared || pool.deleting) expect(created).toBe(0)
      expect(decide(pool)).toEqual(decision)
    }),
    { numRuns: 1_000 },
  )
})

test('what is on its way out is let go, and what is newest of the failed is kept for a while', () => {
  fc.assert(
    fc.property(anyPool, (pool) => {
      const retired = new Set(
        decide(pool).actions.flatMap((action) => (action.do === 'retire' ? [action.id] : [])),
      )
      for (const { id, phase } of pool.members) {
        if (phase === 'deleting' || phase === 'deleted') expect(retired.has(id)).toBe(false)
        if (phase === 'stopping' || phase === 'stopped') expect(retired.has(id)).toBe(true)
      }
      const failed = pool.members.filter(({ id, phase }) => phase === 'failed' && !retired.has(id))
      expect(failed.length).toBeLessThanOrEqual(1)
    }),
  )
})
