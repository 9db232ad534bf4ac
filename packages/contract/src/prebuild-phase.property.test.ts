import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isPrebuildActive,
  isPrebuildEnded,
  mayMovePrebuild,
  type PrebuildPhase,
  prebuildPhases,
  prebuildPhaseTable,
} from './prebuild-phase.ts'

/** Every phase reachable from the given one, itself included. */
function reachable(from: PrebuildPhase): Set<PrebuildPhase> {
  const reached = new Set([from])
  for (const phase of reached) for (const to of prebuildPhaseTable[phase].to) reached.add(to)
  return reached
}

test('every walk along the table changes the phase with each move, never comes back, and ends', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...prebuildPhases),
      fc.array(fc.nat(), { minLength: 20, maxLength: 50 }),
      (start, choices) => {
        const visited = new Set<PrebuildPhase>([start])
        let phase = start
        for (const choice of choices) {
          const { to } = prebuildPhaseTable[phase]
          const next = to[choice % Math.max(1, to.length)]
          if (next === undefined) break
          expect(mayMovePrebuild(phase, next)).toBe(true)
          expect(visited.has(next)).toBe(false)
          visited.add(next)
          phase = next
        }
        expect(phase).toBe('deleted')
      },
    ),
  )
})

test('a prebuild can be deleted in every phase, in two moves at most, and nothing comes after that', () => {
  for (const phase of prebuildPhases) {
    if (phase === 'deleted') continue
    expect(phase === 'deleting' || mayMovePrebuild(phase, 'deleting'), phase).toBe(true)
  }
  expect(mayMovePrebuild('deleting', 'deleted')).toBe(true)
  expect(reachable('deleted')).toEqual(new Set(['deleted']))
})

test('a prebuild can fail and be cancelled in every phase before its end, and in none after it', () => {
  for (const phase of prebuildPhases) {
    const works = phase === 'pending' || prebuildPhaseTable[phase].isTimed
    expect(mayMovePrebuild(phase, 'failed'), phase).toBe(works)
    const cancels = mayMovePrebuild(phase, 'cancelling') || mayMovePrebuild(phase, 'cancelled')
    expect(cancels, phase).toBe(works || phase === 'cancelling')
  }
})

test('only what has been started, scrubbed and searched completes', () => {
  const before = prebuildPhases.filter((phase) => mayMovePrebuild(phase, 'completed'))
  expect(before).toEqual(['snapshotting'])
  expect(prebuildPhases.filter((phase) => mayMovePrebuild(phase, 'snapshotting'))).toEqual(['stopping'])
  expect(prebuildPhases.filter((phase) => mayMovePrebuild(phase, 'stopping'))).toEqual(['running'])
})

test('a phase that waits says for what, and has a deadline or the timeout of the prebuild', () => {
  for (const phase of prebuildPhases) {
    const { wait, isTimed } = prebuildPhaseTable[phase]
    if (wait.waitsFor === null) {
      expect(isPrebuildEnded(phase) || phase === 'deleted', phase).toBe(true)
      expect(isPrebuildActive(phase), phase).toBe(false)
    } else expect((wait.deadlineSeconds === null) === isTimed, phase).toBe(true)
  }
})
