import { mayMoveSnapshot, type SnapshotPhase, snapshotPhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deadlineOf, decide, type SeenHolder, type SeenSnapshot, type SnapshotAction } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const hour = 3_600_000
const anyHolder: fc.Arbitrary<Omit<SeenHolder, 'runnerId'>> = fc
  .record({
    runner: fc.constant('north'),
    phase: fc.constantFrom(...(['pending', 'creating', 'copying', 'present', 'failed', 'deleting'] as const)),
    failure: fc.constant(null),
    keptBy: fc.constantFrom([], ['a machine']),
    unordered: fc.boolean(),
    silent: fc.boolean(),
    removed: fc.boolean(),
    agentVersion: fc.constantFrom(null, '1'),
    workKinds: fc.constantFrom(null, ['environment'], ['environment', 'snapshot']),
  })
  // A removed runner sends nothing any more.
  .map((holder) => ({ ...holder, silent: holder.silent || holder.removed }))
const anySnapshot: fc.Arbitrary<SeenSnapshot> = fc.record({
  phase: fc.constantFrom(...snapshotPhases),
  desiredPhase: fc.constantFrom('ready' as const, 'deleted' as const),
  deadline: fc.option(
    fc.integer({ min: -hour, max: hour }).map((offset) => new Date(now.getTime() + offset)),
  ),
  projectDeleting: fc.boolean(),
  holders: fc
    .array(anyHolder, { maxLength: 3 })
    .map((holders) => holders.map((holder, index) => ({ ...holder, runnerId: `${index}` }))),
  now: fc.constant(now),
})

/** The snapshot after an action. */
function after(seen: SeenSnapshot, action: SnapshotAction): SeenSnapshot {
  const moved = (phase: SnapshotPhase): SeenSnapshot => {
    expect(mayMoveSnapshot(seen.phase, phase), `${seen.phase} to ${phase}`).toBe(true)
    return { ...seen, phase, deadline: deadlineOf(phase, now) }
  }
  switch (action.do) {
    case 'forget-holders':
      return { ...seen, holders: seen.holders.filter(({ runnerId }) => !action.runnerIds.includes(runnerId)) }
    case 'desire-deletion':
      return { ...seen, desiredPhase: 'deleted' }
    case 'move':
      return moved(action.to)
    case 'begin-deletion':
      return moved('deleting')
    case 'repeat-deletion':
      return { ...seen, deadline: deadlineOf('deleting', now) }
    case 'fail':
      return moved('failed')
  }
}

function settle(from: SeenSnapshot): SeenSnapshot {
  let seen = from
  let steps = 0
  for (let action = decide(seen); action !== null; action = decide(seen)) {
    steps += 1
    expect(steps).toBeLessThan(8)
    seen = after(seen, action)
  }
  return seen
}

test('from every state a few legal moves lead to one in which nothing follows', () => {
  fc.assert(
    fc.property(anySnapshot, (state) => {
      expect(decide(settle(state))).toBeNull()
    }),
    { numRuns: 2_000 },
  )
})

test('an unwanted snapshot is deleted as soon as no runner that answers has it, from every state', () => {
  fc.assert(
    fc.property(anySnapshot, (state) => {
      const seen = settle({ ...state, desiredPhase: 'deleted' })
      const isHeld = state.holders.some(({ silent, removed, unordered }) => !silent && !removed && !unordered)
      if (state.phase === 'deleted') expect(seen.phase).toBe('deleted')
      else expect(seen.phase).toBe(isHeld ? 'deleting' : 'deleted')
    }),
  )
})

test('what waits for a runner has a deadline', () => {
  fc.assert(
    fc.property(anySnapshot, (state) => {
      const waits = ['pending', 'creating', 'deleting'].includes(state.phase)
      const seen = settle({ ...state, deadline: waits ? now : null })
      if (seen.phase === 'pending' || seen.phase === 'creating') expect(seen.deadline).not.toBeNull()
    }),
  )
})
