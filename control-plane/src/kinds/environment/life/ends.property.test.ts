import {
  desiredPhaseSchema,
  environmentPhases,
  type LifeCap,
  type LifeSpec,
  lifeStatusSchema,
  lifeThenSchema,
  longestLifeSeconds,
  noLifeCap,
  warningSeconds,
} from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideLife, endsOf, type LifeEnd, type SeenLife } from './ends.ts'
import { extendLife } from './extend.ts'
import { activeAt, later, newLife, type StoredLife, watched } from './life.ts'
import { toLifeStatus } from './status.ts'

const began = new Date('2026-01-01T12:00:00Z')
const at = (seconds: number) => later(began, seconds)
const span = fc.integer({ min: 2, max: 100_000 })
const then = fc.constantFrom(...lifeThenSchema.options)
const anySpec: fc.Arbitrary<LifeSpec> = fc.record(
  {
    lifetimeSeconds: fc.option(span),
    lifetimeThen: then,
    idleSeconds: fc.option(span),
    idleThen: then,
  },
  { requiredKeys: [] },
)
const anyCap: fc.Arbitrary<LifeCap> = fc.record({
  lifetimeSeconds: fc.option(span),
  idleSeconds: fc.option(span),
})

interface Happening {
  after: number
  what:
    | { kind: 'phase'; phase: SeenLife['phase'] }
    | { kind: 'desired'; desired: SeenLife['desiredPhase'] }
    | { kind: 'silent'; silent: boolean }
    | { kind: 'used' }
    | { kind: 'report'; secondsAgo: number | null }
    | { kind: 'extend'; seconds: number }
    | { kind: 'look' }
}

/** What may happen to a machine, each some seconds after the one before. */
const anyHappening: fc.Arbitrary<Happening> = fc.record({
  after: fc.integer({ min: 0, max: 20_000 }),
  what: fc.oneof(
    fc.record({ kind: fc.constant('phase' as const), phase: fc.constantFrom(...environmentPhases) }),
    fc.record({
      kind: fc.constant('desired' as const),
      desired: fc.constantFrom(...desiredPhaseSchema.options),
    }),
    fc.record({ kind: fc.constant('silent' as const), silent: fc.boolean() }),
    fc.record({ kind: fc.constant('used' as const) }),
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('report' as const),
        secondsAgo: fc.option(fc.integer({ min: 0, max: 50_000 }), { freq: 1, nil: null }),
      }),
    },
    fc.record({ kind: fc.constant('extend' as const), seconds: span }),
    fc.record({ kind: fc.constant('look' as const) }),
  ),
})

const seenRunning = { phase: 'running', desiredPhase: 'running', unreachable: false } as const

interface Ended {
  end: LifeEnd
  life: StoredLife
  now: Date
  seen: SeenLife
}

/** Goes through what happens, acts as the reconciler does, and tells of every end. */
function live(spec: LifeSpec, cap: LifeCap, happenings: readonly Happening[]): Ended[] {
  let seen: SeenLife = {
    life: newLife([spec], cap, began),
    phase: 'running',
    desiredPhase: 'running',
    unreachable: false,
  }
  let seconds = 0
  const ended: Ended[] = []
  for (const { after, what } of happenings) {
    seconds += after
    const now = at(seconds)
    seen = happen(seen, what, now)
    for (;;) {
      const { action } = decideLife(seen, now)
      if (action === null || seen.life === null) break
      const { cause, due, follows } = action.end
      if (action.do === 'announce') {
        const announced = {
          ...seen.life.announced,
          [cause]: { due: due.toISOString(), at: now.toISOString() },
        }
        seen = { ...seen, life: { ...seen.life, announced } }
        continue
      }
      ended.push({ end: action.end, life: seen.life, now, seen })
      const desiredPhase = { suspend: 'suspended', stop: 'stopped', delete: 'deleted' } as const
      seen = { ...seen, desiredPhase: desiredPhase[follows] }
    }
  }
  return ended
}

function happen(seen: SeenLife, what: Happening['what'], now: Date): SeenLife {
  const { life } = seen
  switch (what.kind) {
    case 'phase':
      return { ...seen, phase: what.phase }
    case 'desired':
      return seen.desiredPhase === 'deleted' ? seen : { ...seen, desiredPhase: what.desired }
    case 'silent':
      return { ...seen, unreachable: what.silent }
    case 'used':
      return life === null ? seen : { ...seen, life: activeAt(life, now, now) }
    case 'report':
      return life === null ? seen : { ...seen, life: watched(life, what.secondsAgo, now) }
    case 'extend': {
      if (life === null) return seen
      const extended = extendLife(life, what.seconds, now)
      return 'life' in extended ? { ...seen, life: extended.life } : seen
    }
    case 'look':
      return seen
  }
}

/** Of machines that soon end where nobody uses them. */
const anyIdle: fc.Arbitrary<LifeSpec> = fc.record({
  idleSeconds: fc.integer({ min: 2, max: 20_000 }),
  idleThen: then,
})
const anyLife = fc.tuple(
  fc.oneof(anySpec, anyIdle),
  anyCap,
  fc.array(anyHappening, { minLength: 5, maxLength: 30 }),
)

test('no machine ends before its time, nor without having been told of it in time', () => {
  let count = 0
  fc.assert(
    fc.property(anyLife, ([spec, cap, happenings]) => {
      for (const { end, life, now } of live(spec, cap, happenings)) {
        count += 1
        expect(now.getTime()).toBeGreaterThanOrEqual(end.due.getTime())
        expect(end.announcedAt).not.toBeNull()
        const notice = (now.getTime() - (end.announcedAt?.getTime() ?? 0)) / 1000
        expect(notice).toBeGreaterThanOrEqual(warningSeconds(end.spanSeconds))
        if (end.cause === 'lifetime') expect(now >= new Date(life.endsAt ?? now)).toBe(true)
      }
    }),
    { numRuns: 3_000 },
  )
  // It would hold of nothing at all.
  expect(count).toBeGreaterThan(300)
})

test('a machine ends for idleness only while it runs, is heard of, and its runner has said that nobody used it', () => {
  let count = 0
  fc.assert(
    fc.property(anyLife, ([spec, cap, happenings]) => {
      for (const { end, life, now, seen } of live(spec, cap, happenings)) {
        if (end.cause !== 'idle') continue
        count += 1
        expect([seen.phase, seen.desiredPhase, seen.unreachable]).toEqual(['running', 'running', false])
        const idle = (now.getTime() - Date.parse(life.activeAt)) / 1000
        expect(idle).toBeGreaterThanOrEqual(life.idleSeconds ?? Number.POSITIVE_INFINITY)
        expect(Date.parse(life.watchedAt ?? '')).toBeGreaterThanOrEqual(end.due.getTime())
      }
    }),
    { numRuns: 3_000 },
  )
  expect(count).toBeGreaterThan(20)
})

test('without a cap an end is put off to ten years from now at most, however often', () => {
  let life = newLife([{ lifetimeSeconds: 3_600, idleSeconds: 60 }], noLifeCap, began)
  if (life === null) throw new Error('it has no end')
  const refusals: unknown[] = []
  for (let time = 0; time < 20; time += 1) {
    const extended = extendLife(life, longestLifeSeconds, at(time))
    if ('life' in extended) life = extended.life
    else refusals.push(extended)
    const next = extendLife(life, longestLifeSeconds / 12, at(time))
    if ('life' in next) life = next.life
  }
  expect(refusals[0]).toMatchObject({ cap: 'none', mostSeconds: longestLifeSeconds - 3_600 })
  expect(Date.parse(life.endsAt ?? '')).toBeLessThanOrEqual(at(longestLifeSeconds + 20).getTime())
  expect(() => lifeStatusSchema.parse(toLifeStatus({ ...seenRunning, life }))).not.toThrow()
})

test('no life is longer than the cap, however often it is put off, and putting off never shortens it', () => {
  fc.assert(
    fc.property(
      anySpec,
      anyCap,
      fc.array(fc.tuple(span, span), { maxLength: 10 }),
      (spec, cap, extensions) => {
        let life = newLife([spec], cap, began)
        let seconds = 0
        for (const [after, by] of extensions) {
          if (life === null) return
          seconds += after
          const now = at(seconds)
          const extended = extendLife(life, by, now)
          if (!('life' in extended)) {
            expect(extended.mostSeconds).toBeLessThan(by)
            // What it says would be right is right.
            if (extended.mostSeconds > 0)
              expect(extendLife(life, extended.mostSeconds, now)).toHaveProperty('life')
            continue
          }
          for (const field of ['endsAt', 'keptUntil'] as const) {
            const [before, after] = [life[field], extended.life[field]]
            if (before !== null) expect(Date.parse(after ?? '')).toBeGreaterThanOrEqual(Date.parse(before))
          }
          life = extended.life
          if (cap.lifetimeSeconds !== null)
            expect(Date.parse(life.endsAt ?? '')).toBeLessThanOrEqual(at(cap.lifetimeSeconds).getTime())
          if (cap.idleSeconds !== null && life.keptUntil !== null)
            expect(Date.parse(life.keptUntil)).toBeLessThanOrEqual(later(now, cap.idleSeconds).getTime())
        }
        if (cap.lifetimeSeconds !== null)
          expect(life?.lifetimeSeconds).toBeLessThanOrEqual(cap.lifetimeSeconds)
        if (cap.idleSeconds !== null) expect(life?.idleSeconds).toBeLessThanOrEqual(cap.idleSeconds)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a machine that is looked at when it says is announced and ended in time', () => {
  fc.assert(
    fc.property(span, (lifetimeSeconds) => {
      const life = newLife([{ lifetimeSeconds }], { lifetimeSeconds: null, idleSeconds: null }, began)
      const seen: SeenLife = { life, phase: 'suspended', desiredPhase: 'suspended', unreachable: true }
      const first = decideLife(seen, began)
      expect(first.wakeAt).toEqual(at(lifetimeSeconds - warningSeconds(lifetimeSeconds)))
      const now = first.wakeAt ?? began
      const { action } = decideLife(seen, now)
      expect(action?.do).toBe('announce')
      const announced = {
        lifetime: { due: endsOf(seen, now)[0]?.due.toISOString() ?? '', at: now.toISOString() },
      }
      const told = { ...seen, life: life === null ? null : { ...life, announced } }
      expect(decideLife(told, now).wakeAt).toEqual(at(lifetimeSeconds))
      expect(decideLife(told, at(lifetimeSeconds)).action?.do).toBe('end')
    }),
  )
})
