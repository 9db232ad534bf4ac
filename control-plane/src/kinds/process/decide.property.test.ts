import { processPhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { activePhases, decide, type ProcessAction, type SeenMachine, type SeenProcess } from './decide.ts'
import { dependenciesOf } from './dependencies.ts'

const now = new Date('2026-11-30T12:00:00Z')
const hour = 3_600_000
const anyTime = fc.integer({ min: -hour, max: hour }).map((offset) => new Date(now.getTime() + offset))
const anyProcess = (name: string, dependsOn: string[]): fc.Arbitrary<SeenProcess & { dependsOn: string[] }> =>
  fc.record({
    name: fc.constant(name),
    kind: fc.constantFrom('task' as const, 'service' as const),
    phase: fc.constantFrom(...processPhases),
    desired: fc.constantFrom('run' as const, 'stop' as const, 'delete' as const),
    runnerId: fc.constantFrom(null, 'r0', 'r1'),
    dependsOn: fc.constantFrom([], dependsOn),
    dependencies: fc.constant({ waitsFor: null }),
    incarnation: fc.constantFrom(null, 1, 2),
    isKept: fc.boolean(),
    readiness: fc.constant(null),
    hasInputs: fc.boolean(),
    schedule: fc.constantFrom(
      null,
      ...(['skip', 'queue', 'replace'] as const).map((overlap) => ({
        cron: '* * * * *',
        timeZone: 'UTC',
        overlap,
      })),
    ),
    nextRunAt: fc.option(anyTime),
    isQueued: fc.boolean(),
    deadline: fc.option(anyTime),
    waitsFor: fc.constant(null),
  })
const anyMachine: fc.Arbitrary<SeenMachine> = fc.record({
  name: fc.constant('shop-1'),
  phase: fc.constantFrom(
    ...([
      'pending',
      'provisioning',
      'running',
      'stopped',
      'suspended',
      'failed',
      'deleting',
      'deleted',
    ] as const),
  ),
  desiredPhase: fc.constantFrom(
    'running' as const,
    'stopped' as const,
    'suspended' as const,
    'deleted' as const,
  ),
  unreachable: fc.boolean(),
  runnerId: fc.constantFrom(null, 'r1'),
  runner: fc.constant('north'),
  isAble: fc.boolean(),
  bringsInputs: fc.boolean(),
  incarnation: fc.constantFrom(1, 2),
})

/** The process after an action; null when it is gone. */
function after(seen: SeenProcess, action: ProcessAction, machine: SeenMachine): SeenProcess | null {
  switch (action.do) {
    case 'remove':
      return null
    case 'fail':
      return { ...seen, phase: 'failed', deadline: null, isQueued: false }
    case 'move':
      return { ...seen, phase: action.to, deadline: null }
    case 'wait':
      return { ...seen, waitsFor: action.waitsFor }
    case 'order':
      return {
        ...seen,
        phase: 'starting',
        deadline: action.deadline,
        runnerId: machine.runnerId,
        incarnation: machine.incarnation,
        waitsFor: null,
      }
    case 'take-back':
      return { ...seen, phase: 'pending', deadline: null, runnerId: null }
    case 'postpone':
      return { ...seen, deadline: action.deadline }
    case 'schedule': {
      const moved = { ...seen, nextRunAt: action.nextRunAt }
      if (action.also === 'nothing') return moved
      return action.also === 'queue'
        ? { ...moved, isQueued: true }
        : { ...moved, phase: 'pending', deadline: null }
    }
    case 'release':
      return { ...seen, deadline: null }
    case 'begin-again':
      return { ...seen, phase: 'pending', deadline: null }
    case 'start-queued':
      return { ...seen, phase: 'pending', isQueued: false, deadline: null }
  }
}

type Linked = SeenProcess & { dependsOn: string[] }

function settle(from: readonly Linked[], machine: SeenMachine): Linked[] {
  const left = [...from]
  const look = (one: Linked) => ({ ...one, dependencies: dependenciesOf(one, left) })
  for (let steps = 0; ; steps += 1) {
    expect(steps).toBeLessThan(8 * (from.length + 1))
    const index = left.findIndex((one) => decide(look(one), machine, now) !== null)
    const one = left[index]
    const action = one === undefined ? null : decide(look(one), machine, now)
    if (one === undefined || action === null) return left
    const next = after(one, action, machine)
    if (next === null) left.splice(index, 1)
    else left[index] = { ...next, dependsOn: one.dependsOn }
  }
}

const anyWorld = fc.tuple(anyProcess('web', ['build']), anyProcess('build', []), anyMachine)

test('from every state a few actions lead to one in which nothing follows', () => {
  fc.assert(
    fc.property(anyWorld, ([web, build, machine]) => {
      settle([web, build], machine)
    }),
    { numRuns: 5_000 },
  )
})

test('nothing is left of a machine that is gone, and nothing is begun in one that goes', () => {
  fc.assert(
    fc.property(anyWorld, ([web, build, machine]) => {
      expect(settle([web, build], { ...machine, phase: 'deleted' })).toEqual([])
      const left = settle([web, build], { ...machine, phase: 'deleting', desiredPhase: 'deleted' })
      for (const { phase, desired } of left)
        expect(desired === 'delete' || !activePhases.has(phase)).toBe(true)
    }),
  )
})

test('who waits for a runner has a deadline, and whoever waits for something else says for what', () => {
  fc.assert(
    fc.property(anyWorld, ([web, build, machine]) => {
      const begun = [web, build].map((one) => ({ ...one, deadline: one.phase === 'starting' ? now : null }))
      for (const { phase, desired, deadline, waitsFor } of settle(begun, machine)) {
        if (desired !== 'run') continue
        if (phase === 'starting') expect(deadline).not.toBeNull()
        if (phase === 'pending') expect(waitsFor).not.toBeNull()
      }
    }),
  )
})
