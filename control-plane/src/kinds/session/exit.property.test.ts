import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideExit } from './exit.decide.ts'
import { ground, later, type StateName, stateNames, target } from './session.fixture.ts'

const targets = fc
  .array(
    fc.record({
      state: fc.constantFrom<StateName>(...stateNames),
      type: fc.constantFrom('job' as const, 'server' as const),
    }),
    { maxLength: 8 },
  )
  .map((drawn) => drawn.map(({ state, type }, index) => target(`t${index}`, state, type)))
const limit = fc.option(fc.integer({ min: 1, max: 4_000 }))
const grounds = fc
  .record({
    targets,
    exitCondition: fc.constantFrom('manual', 'ci', 'other'),
    machineError: fc.option(fc.constant('disk full')),
    now: fc.integer({ min: 0, max: 10_000 }).map(later),
    ci: fc.option(
      fc.record({ gracePeriodSeconds: limit, timeoutSeconds: limit, readinessTimeoutSeconds: limit }),
    ),
  })
  .map(({ targets: drawn, ...change }) => ground(drawn, change))

test('an error is never said of a session that goes on, and a manual one never ends by itself', () => {
  fc.assert(
    fc.property(grounds, (drawn) => {
      const { done, error, next } = decideExit(drawn)
      if (!done) expect(error).toBeNull()
      if (done) expect(next).toBeNull()
      if (error !== null) expect(error).not.toBe('')
      if (drawn.exitCondition === 'manual') expect({ done, next }).toEqual({ done: false, next: null })
    }),
  )
})

test('without a change of its targets, the answer stays until the time that it names, and is another then', () => {
  fc.assert(
    fc.property(grounds, (drawn) => {
      const { done, next } = decideExit(drawn)
      if (next === null) {
        expect(decideExit({ ...drawn, now: later(1e9) }).done).toBe(done)
        return
      }
      expect(next.getTime()).toBeGreaterThan(drawn.now.getTime())
      expect(decideExit({ ...drawn, now: new Date(next.getTime() - 1) }).done).toBe(false)
      expect(decideExit({ ...drawn, now: next }).done).toBe(true)
    }),
  )
})

test('it is well only if each target is, or is not asked to run', () => {
  fc.assert(
    fc.property(grounds, (drawn) => {
      const { done, error } = decideExit(drawn)
      const isWell = drawn.targets.every(({ type, state }) => {
        if (state.kind === 'none' || state.kind === 'disabled') return true
        if (state.kind === 'terminated') return state.error === null
        return state.kind === 'active' && type === 'server' && state.ready
      })
      if (done && error === null) expect(isWell && drawn.targets.length > 1).toBe(true)
    }),
  )
})
