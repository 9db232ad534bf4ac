import { environmentPhases, environmentPhaseTable, mayMove } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deadlineWhile, decide, type EnvironmentAction, type SeenEnvironment } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const hour = 3_600_000
const anyRow: fc.Arbitrary<SeenEnvironment> = fc.record({
  phase: fc.constantFrom(...environmentPhases),
  desiredPhase: fc.constantFrom(
    'running' as const,
    'stopped' as const,
    'suspended' as const,
    'deleted' as const,
  ),
  deadline: fc.option(
    fc.integer({ min: -hour, max: hour }).map((offset) => new Date(now.getTime() + offset)),
  ),
  unreachable: fc.boolean(),
  everReady: fc.boolean(),
  projectDeleting: fc.boolean(),
  sourceFailure: fc.constantFrom(null, { code: 'disk_full' as const, message: 'no room' }),
  kept: fc.option(
    fc.record({
      until: fc.integer({ min: -hour, max: hour }).map((offset) => new Date(now.getTime() + offset)),
      endsFor: fc.constantFrom('test_over' as const, 'inspection_over' as const),
    }),
  ),
  runner: fc.option(
    fc
      .record({ name: fc.constant('north'), silent: fc.boolean(), removed: fc.boolean() })
      // A removed runner sends nothing any more.
      .map((runner) => ({ ...runner, silent: runner.silent || runner.removed })),
  ),
  now: fc.constant(now),
})

/** An environment that waits for a runner has none; a ready one on a silent runner waits for it without a deadline. */
const anyState = anyRow.map((seen) => ({
  ...seen,
  runner: seen.phase === 'pending' ? null : seen.runner,
  deadline: seen.unreachable && seen.everReady ? null : seen.deadline,
}))

/** The row after an action, in a world where placement finds either a runner or none. */
function after(seen: SeenEnvironment, action: EnvironmentAction, hasRoom: boolean): SeenEnvironment {
  const moved = (phase: SeenEnvironment['phase']): SeenEnvironment => {
    if (phase !== seen.phase) expect(mayMove(seen.phase, phase), `${seen.phase} to ${phase}`).toBe(true)
    const { deadlineSeconds } = environmentPhaseTable[phase]
    const deadline = deadlineSeconds === null ? null : new Date(now.getTime() + deadlineSeconds * 1000)
    return { ...seen, phase, deadline }
  }
  switch (action.do) {
    case 'desire-deletion':
      return { ...seen, desiredPhase: 'deleted' }
    case 'place':
      return hasRoom
        ? { ...moved('provisioning'), runner: { name: 'north', silent: false, removed: false } }
        : seen
    case 'begin-deletion':
      return moved('deleting')
    case 'repeat-deletion':
      return { ...moved('deleting'), deadline: new Date(now.getTime() + 60_000) }
    case 'forget': {
      // Like the reconciler: an environment that may not be deleted outright is `deleting` first.
      const ready = mayMove(seen.phase, 'deleted') ? seen.phase : 'deleting'
      expect(ready === seen.phase || mayMove(seen.phase, ready)).toBe(true)
      return { ...seen, phase: 'deleted', deadline: null }
    }
    case 'fail':
      return moved('failed')
    case 'mark-unreachable':
      return {
        ...seen,
        unreachable: action.unreachable,
        deadline: deadlineWhile(seen, action.unreachable),
      }
  }
}

function settle(from: SeenEnvironment, hasRoom: boolean): { seen: SeenEnvironment; actions: string[] } {
  let seen = from
  const actions: string[] = []
  for (let action = decide(seen); action !== null; action = decide(seen)) {
    actions.push(action.do)
    const next = after(seen, action, hasRoom)
    if (next === seen) break
    expect(actions.length, actions.join(', ')).toBeLessThan(8)
    seen = next
  }
  return { seen, actions }
}

test('from every state, a few actions lead to one without further decisions', () => {
  fc.assert(
    fc.property(anyState, fc.boolean(), (state, hasRoom) => {
      const { seen } = settle(state, hasRoom)
      const left = decide(seen)
      if (left !== null) expect([left.do, seen.phase, hasRoom]).toEqual(['place', 'pending', false])
      expect(decide({ ...seen })).toEqual(left)
    }),
    { numRuns: 1_000 },
  )
})

test('from every state, an environment that should be deleted is deleted, or its runner gets the order', () => {
  fc.assert(
    fc.property(anyState, (state) => {
      const { seen } = settle({ ...state, desiredPhase: 'deleted' }, true)
      expect(['deleting', 'deleted']).toContain(seen.phase)
      if (seen.phase === 'deleting') {
        // A silent runner's machine is given up; a present but slow runner is asked again.
        const runner = { name: 'north', silent: true, removed: false }
        expect(settle({ ...seen, runner }, true).seen.phase).toBe('deleted')
        expect(decide({ ...seen, deadline: now })?.do).toBe('repeat-deletion')
      }
    }),
  )
})

test('a machine that was ready never fails because its runner is silent, and is deleted only for a known reason', () => {
  fc.assert(
    fc.property(anyState, (state) => {
      const { seen, actions } = settle(state, true)
      if (state.runner?.silent === true && !state.runner.removed && state.everReady)
        expect(actions).not.toContain('fail')
      const over = state.kept !== null && state.kept.until <= now
      const grounds =
        state.desiredPhase === 'deleted' || state.projectDeleting || state.runner?.removed === true || over
      if (!grounds && state.phase !== 'deleting' && state.phase !== 'deleted') {
        expect(['deleting', 'deleted']).not.toContain(seen.phase)
        expect(seen.desiredPhase).toBe(state.desiredPhase)
      }
    }),
    { numRuns: 1_000 },
  )
})
