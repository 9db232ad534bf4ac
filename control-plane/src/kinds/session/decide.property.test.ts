import { targetStateSchema } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type SeenSession } from './decide.ts'
import { later, type StateName, start, stateNames, target } from './session.fixture.ts'

const targets = (prefix: string) =>
  fc
    .array(
      fc.record({
        state: fc.constantFrom<StateName>(...stateNames),
        type: fc.constantFrom('job' as const, 'server' as const),
      }),
      { maxLength: 4 },
    )
    .map((drawn) => drawn.map(({ state, type }, index) => target(`${prefix}${index}`, state, type)))
const limit = fc.option(fc.integer({ min: 1, max: 4_000 }))

/** What may be seen of one session at one time. */
const sights = fc.record({
  desired: fc.constantFrom('open' as const, 'ended' as const),
  detached: fc.boolean(),
  leaseEndsAt: fc.option(fc.integer({ min: 0, max: 5_000 }).map(later)),
  reported: targets('r'),
  derived: targets('d'),
  machine: fc.option(fc.record({ error: fc.option(fc.constant('disk full')) })),
  now: fc.integer({ min: 0, max: 10_000 }).map(later),
})
const kinds = fc.oneof(
  fc.constant({ exitCondition: 'manual', ci: null }),
  fc.record({
    exitCondition: fc.constantFrom('ci', 'other'),
    ci: fc.option(
      fc.record({ gracePeriodSeconds: limit, timeoutSeconds: limit, readinessTimeoutSeconds: limit }),
    ),
  }),
)
const beginning = { phase: 'open', done: false, error: null, failure: null, startedAt: start } as const

/** Looks at a session again and again, each time at what it has become. */
function lifeOf(kind: Pick<SeenSession, 'exitCondition' | 'ci'>, seen: readonly Partial<SeenSession>[]) {
  let before: Pick<SeenSession, 'phase' | 'done' | 'error' | 'failure'> = beginning
  return seen.map((sight) => {
    const settled = decide({ ...beginning, ...kind, ...before, ...sight } as SeenSession)
    if (settled !== null) before = settled
    return { before, settled }
  })
}

test('done never goes back, nor does its error change, whatever is seen afterwards', () => {
  fc.assert(
    fc.property(kinds, fc.array(sights, { minLength: 1, maxLength: 6 }), (kind, seen) => {
      let end: { done: boolean; error: string | null } | null = null
      for (const { before } of lifeOf(kind, seen)) {
        if (end !== null) expect({ done: before.done, error: before.error }).toEqual(end)
        if (before.done) end = { done: before.done, error: before.error }
        if (kind.exitCondition === 'manual') expect([before.done, before.error]).toEqual([false, null])
      }
    }),
  )
})

test('each target has exactly one state, under a name of its own, in order', () => {
  fc.assert(
    fc.property(kinds, sights, (kind, sight) => {
      const [look] = lifeOf(kind, [sight])
      const found = look?.settled?.targets ?? []
      const names = found.map(({ name }) => name)
      expect(names).toEqual([...new Set(names)].sort())
      for (const { state } of found)
        expect(targetStateSchema.safeParse(state)).toMatchObject({ success: true })
    }),
  )
})

test('an open session ends at some time by itself, or follows a machine, or is its living caller’s', () => {
  fc.assert(
    fc.property(kinds, sights, (kind, sight) => {
      const [look] = lifeOf(kind, [sight])
      const settled = look?.settled
      if (settled == null || settled.phase === 'ended') return
      const isHeld =
        settled.next !== null || sight.machine !== null || sight.detached || sight.leaseEndsAt === null
      expect(isHeld).toBe(true)
      if (settled.next !== null) expect(settled.next.getTime()).toBeGreaterThan(sight.now.getTime())
    }),
  )
})

test('a second look at once changes nothing', () => {
  fc.assert(
    fc.property(kinds, sights, (kind, sight) => {
      const [first] = lifeOf(kind, [sight])
      const { settled } = first ?? {}
      if (settled == null || settled.phase === 'ended') return
      const { reported, leaseEndsAt } = settled
      const again = decide({
        ...beginning,
        ...kind,
        ...sight,
        ...settled,
        reported,
        leaseEndsAt,
      } as SeenSession)
      expect(again).toEqual(settled)
    }),
  )
})
