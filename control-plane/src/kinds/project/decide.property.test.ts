import { projectDeletingSeconds } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type SeenProject } from './decide.ts'

const start = new Date('2026-01-01T12:00:00Z').getTime()
const span = 2 * projectDeletingSeconds * 1000
const anyTime = fc.integer({ min: -span, max: span }).map((milliseconds) => new Date(start + milliseconds))
const anyMachine = fc.record({
  name: fc.string({ minLength: 1 }),
  phase: fc.constantFrom('running', 'deleting', 'failed'),
  runner: fc.option(fc.string({ minLength: 1 })),
})
const anyProject: fc.Arbitrary<SeenProject> = fc.record({
  deleting: fc.boolean(),
  pools: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }),
  machines: fc.array(anyMachine, { maxLength: 8 }),
  deadline: fc.option(anyTime),
  now: anyTime,
})
const isLeft = ({ pools, machines }: SeenProject) => pools.length + machines.length > 0

/** What the reconciler stores of a decision. */
function after(seen: SeenProject): SeenProject {
  const action = decide(seen)
  return action === null || action.do === 'remove' ? seen : { ...seen, deadline: action.until }
}

test('a project that is not being deleted is left alone, and a deleted one is removed only when nothing is left of it', () => {
  fc.assert(
    fc.property(anyProject, (seen) => {
      const action = decide(seen)
      if (!seen.deleting) expect(action).toBeNull()
      else expect(action?.do === 'remove').toBe(!isLeft(seen))
    }),
    { numRuns: 1_000 },
  )
})

test('from every state, one decision leads to one that holds until the time it names', () => {
  fc.assert(
    fc.property(anyProject, (seen) => {
      const settled = after(seen)
      expect(after(settled)).toEqual(settled)
      if (seen.deleting && isLeft(seen))
        expect(settled.deadline?.getTime()).toBeGreaterThan(seen.now.getTime())
    }),
    { numRuns: 1_000 },
  )
})

test('after the deadline, every look names everything that keeps the project, and the wait goes on', () => {
  fc.assert(
    fc.property(
      anyProject,
      fc.array(fc.integer({ min: 0, max: span }), { maxLength: 20 }),
      (seen, pauses) => {
        let project = seen
        for (const pause of pauses) {
          const action = decide(project)
          const passed = project.deadline !== null && project.deadline <= project.now
          if (project.deleting && isLeft(project)) expect(action?.do).toBe(passed ? 'record-delay' : 'wait')
          if (action?.do === 'record-delay')
            for (const pool of project.pools) expect(action.failure.message).toContain(pool)
          project = { ...after(project), now: new Date(project.now.getTime() + pause) }
        }
      },
    ),
    { numRuns: 500 },
  )
})
