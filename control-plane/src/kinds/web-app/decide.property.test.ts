import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type SeenMachine, type SeenTask, type SeenWebApp, type WebAppAction } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const failure = { code: 'command_failed', message: 'it failed' } as const
const task: fc.Arbitrary<SeenTask> = fc.constantFrom(
  { state: 'absent' },
  { state: 'done' },
  { state: 'working', waitsFor: null },
  { state: 'working', waitsFor: 'environment shop-1 to run' },
  { state: 'failed', failure },
)
const machine: fc.Arbitrary<SeenMachine> = fc.record({
  name: fc.constant('shop-1'),
  phase: fc.constantFrom('pending', 'running', 'suspended', 'stopped', 'failed', 'deleting', 'deleted'),
  desiredPhase: fc.constantFrom('running', 'suspended', 'stopped', 'deleted'),
  unreachable: fc.boolean(),
})
const webApp: fc.Arbitrary<SeenWebApp> = fc.record({
  name: fc.constant('shop'),
  phase: fc.constantFrom('provisioning', 'ready', 'failed', 'deleting'),
  desired: fc.constantFrom('keep', 'delete'),
  deadline: fc.constantFrom(new Date(now.getTime() - 1), new Date(now.getTime() + 60_000)),
  waitsFor: fc.option(fc.constant('environment shop-1 to run')),
  setUp: task,
  processes: fc.nat({ max: 2 }),
  removals: fc.array(task, { minLength: 2, maxLength: 2 }),
})

/** As `reconcile.ts` carries it out; null for one that is gone. */
function after(seen: SeenWebApp, action: WebAppAction): SeenWebApp | null {
  const working = { state: 'working', waitsFor: null } as const
  switch (action.do) {
    case 'set-up':
      return { ...seen, setUp: working }
    case 'wait':
      return { ...seen, waitsFor: action.waitsFor }
    case 'be-ready':
      return { ...seen, phase: 'ready', deadline: null }
    case 'fail':
      return { ...seen, phase: 'failed', deadline: null }
    case 'desire-deletion':
      return { ...seen, desired: 'delete' }
    case 'begin-deletion':
      return {
        ...seen,
        phase: 'deleting',
        deadline: action.deadline,
        removals: [{ state: 'absent' }, { state: 'absent' }],
      }
    case 'remove-files':
      return { ...seen, removals: seen.removals.map(() => working) }
    case 'forget':
      return null
  }
}

test('from every state of a web app a few decisions lead to one in which nothing follows, with a deadline where it waits', () => {
  fc.assert(
    fc.property(webApp, machine, (first, seen) => {
      let current: SeenWebApp | null = first
      for (let steps = 0; steps < 8; steps += 1) {
        const action = decide(current, seen, now)
        if (action === null) {
          const waits = current.phase === 'provisioning' || current.phase === 'deleting'
          if (waits && current.desired === 'delete') expect(current.deadline).not.toBeNull()
          return
        }
        current = after(current, action)
        if (current === null) return
      }
      throw new Error(`it does not settle: ${JSON.stringify(current)}`)
    }),
    { numRuns: 5_000 },
  )
})

test('its files are removed when nothing runs any more, and of a machine that runs they are before it is forgotten', () => {
  fc.assert(
    fc.property(webApp, machine, (given, seen) => {
      const action = decide(given, seen, now)
      if (action?.do === 'remove-files') expect(given.processes).toBe(0)
      if (action?.do === 'forget' && action.warning === null && seen.desiredPhase !== 'deleted')
        expect(
          seen.phase === 'deleting' ||
            seen.phase === 'deleted' ||
            given.removals.every(({ state }) => state === 'done'),
        ).toBe(true)
    }),
    { numRuns: 5_000 },
  )
})
