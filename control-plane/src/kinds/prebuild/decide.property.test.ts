import {
  environmentPhaseSchema,
  type Failure,
  mayMovePrebuild,
  type PrebuildPhase,
  prebuildDesiredPhaseSchema,
  prebuildPhases,
} from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type PrebuildAction, type SeenPrebuild } from './decide.ts'

const now = new Date('2026-06-01T12:00:00Z')
const failure: Failure = { code: 'internal', message: 'it failed' }
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value)
const anyCount = fc.record({ failed: fc.nat(3), unexplained: fc.nat(3) })
const world = fc.record({
  phase: fc.constantFrom(...prebuildPhases),
  desiredPhase: fc.constantFrom(...prebuildDesiredPhaseSchema.options),
  projectDeleting: fc.boolean(),
  deadline: optional(fc.constantFrom(new Date(now.getTime() - 1), new Date(now.getTime() + 1))),
  timeoutSeconds: fc.constant(300),
  before: optional(fc.constant('another')),
  environment: optional(
    fc.record({
      phase: fc.constantFrom(...environmentPhaseSchema.options),
      going: fc.boolean(),
      unreachable: fc.boolean(),
      failure: optional(fc.constant(failure)),
    }),
  ),
  snapshot: optional(
    fc.record({
      phase: fc.constantFrom('making' as const, 'ready' as const, 'failed' as const),
      going: fc.boolean(),
      failure: optional(fc.constant(failure)),
    }),
  ),
  snapshots: fc.array(
    fc.record({
      going: fc.boolean(),
      left: fc.array(fc.record({ runner: fc.constant('rack-1'), isUsed: fc.boolean() }), { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
  machines: fc.array(fc.record({ going: fc.boolean() }), { maxLength: 3 }),
  tasks: fc.constantFrom<SeenPrebuild['tasks']>(
    { state: 'unbegun' },
    { state: 'working', name: 'seed' },
    { state: 'serving', name: 'db' },
    { state: 'failed', failure },
    { state: 'done' },
  ),
  boots: fc.record({ written: anyCount, counted: anyCount }),
  // Has a property test of its own.
  templates: fc.constant(null),
  now: fc.constant(now),
})

/** The phase that an action leads to; null for one that leaves the phase as it is. */
function phaseAfter(action: PrebuildAction): PrebuildPhase | null {
  switch (action.do) {
    case 'start':
      return 'starting'
    case 'move':
      return action.to
    case 'stop':
      return 'stopping'
    case 'freeze':
      return 'snapshotting'
    case 'fail':
      return 'failed'
    case 'run-tasks':
    case 'end-services':
    case 'clear':
    case 'count-boots':
    case 'template':
    case 'remind':
      return null
    default:
      return action satisfies never
  }
}

/** What is seen once the action was carried out and nothing else has happened. */
function after(seen: SeenPrebuild, action: PrebuildAction): SeenPrebuild {
  const phase = phaseAfter(action) ?? seen.phase
  const moved = { ...seen, phase, deadline: null }
  if (action.do === 'count-boots') return { ...moved, boots: { ...seen.boots, written: action.boots } }
  if (action.do === 'run-tasks') return { ...moved, tasks: { state: 'working', name: 'seed' } }
  if (action.do === 'end-services') return { ...moved, tasks: { state: 'done' } }
  if (action.do !== 'clear') return moved
  const { environment, snapshot, snapshots, machines } = seen
  return {
    ...moved,
    environment: environment === null ? null : { ...environment, going: true },
    snapshot: snapshot === null || phase === 'completed' ? snapshot : { ...snapshot, going: true },
    snapshots: snapshots.map((one) => ({ ...one, going: true })),
    machines: machines.map(() => ({ going: true })),
  }
}

test('whatever is seen, each action is a legal move, and after a few nothing follows but waiting', () => {
  fc.assert(
    fc.property(world, (first) => {
      let seen: SeenPrebuild = first
      for (let step = 0; step < 12; step += 1) {
        const action = decide(seen)
        if (action === null) return
        const to = phaseAfter(action)
        if (to !== null) expect(mayMovePrebuild(seen.phase, to), `${seen.phase} to ${to}`).toBe(true)
        if (action.do === 'stop') expect(seen.tasks).toEqual({ state: 'done' })
        if (action.do === 'freeze') {
          expect(seen.phase).toBe('stopping')
          expect(seen.environment).toMatchObject({ phase: 'stopped', going: false })
        }
        if (action.do === 'move' && action.to === 'completed')
          expect(seen.snapshot).toMatchObject({ phase: 'ready', going: false })
        // With a start and a freeze come a machine and a snapshot.
        if (action.do === 'start' || action.do === 'freeze') return
        seen = after(seen, action)
      }
      throw new Error(`it does not come to rest: ${JSON.stringify(first)}`)
    }),
    { numRuns: 5_000 },
  )
})

test('what somebody wants gone ends as soon as its machines and layers are gone, and not before', () => {
  fc.assert(
    fc.property(world, (first) => {
      const gone = { machines: [], snapshots: [] }
      let seen: SeenPrebuild = { ...first, desiredPhase: 'deleted', ...gone }
      for (let step = 0; step < 5; step += 1) {
        const action = decide(seen)
        if (action === null) break
        seen = { ...after(seen, action), ...gone }
      }
      expect(seen.phase).toBe('deleted')
      if (first.phase === 'deleted' || first.machines.length + first.snapshots.length === 0) return
      for (const phase of ['deleting', 'cancelling'] as const)
        expect(decide({ ...first, phase })).not.toMatchObject({
          to: phase === 'deleting' ? 'deleted' : 'cancelled',
        })
    }),
  )
})
