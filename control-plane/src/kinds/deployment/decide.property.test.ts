import { deploymentPhaseSchema } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type DeploymentAction,
  decide,
  type SeenDeployment,
  type SeenMachine,
  type SeenStep,
} from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const failure = { code: 'command_failed', message: 'it failed' } as const
const at = fc.constantFrom(new Date(now.getTime() - 60_000), now, new Date(now.getTime() + 60_000))
const step: fc.Arbitrary<SeenStep> = fc.oneof(
  fc.record({
    name: fc.constant('one'),
    state: fc.constantFrom('absent', 'working', 'done', 'going'),
    since: fc.option(at),
  }),
  fc.constant({ name: 'one', state: 'failed', failure } as const),
)
const machine: fc.Arbitrary<SeenMachine> = fc.record({
  name: fc.constant('shop-1'),
  phase: fc.constantFrom('pending', 'running', 'suspended', 'failed', 'deleting', 'deleted'),
  desiredPhase: fc.constantFrom('running', 'suspended', 'deleted'),
  unreachable: fc.boolean(),
})
const deployment: fc.Arbitrary<SeenDeployment> = fc.record({
  name: fc.constant('shop-uat-1'),
  phase: fc.constantFrom(...deploymentPhaseSchema.options),
  isCancelled: fc.boolean(),
  deadline: at,
  waitsFor: fc.option(fc.constant('deployment a to end')),
  failure: fc.option(fc.constant(failure)),
  app: fc.record({
    name: fc.constant('shop'),
    phase: fc.constantFrom('provisioning', 'ready', 'failed', 'deleting'),
    failure: fc.option(fc.constant(failure)),
  }),
  before: fc.option(fc.constant('deployment a to end')),
  isSuperseded: fc.boolean(),
  needsPreparing: fc.boolean(),
  commands: fc.nat({ max: 3 }),
  released: fc.nat({ max: 3 }),
  task: step,
  singletons: fc.array(fc.record({ name: fc.constant('clock'), isOver: fc.boolean() }), { maxLength: 2 }),
  hasEnded: fc.boolean(),
  services: fc.array(step, { maxLength: 3 }),
  mustLeadBack: fc.boolean(),
})

const absent: SeenStep = { name: 'one', state: 'absent', since: null }
const working: SeenStep = { name: 'one', state: 'working', since: now }
const going: SeenStep = { name: 'one', state: 'going', since: now }

/** As `settle.ts` carries it out; a task or service that is made works at first. */
function after(seen: SeenDeployment, action: DeploymentAction): SeenDeployment {
  switch (action.do) {
    case 'cancel':
      return { ...seen, phase: 'cancelled' }
    case 'wait':
      return { ...seen, waitsFor: action.waitsFor }
    case 'enter':
      return { ...seen, phase: action.phase, deadline: action.deadline, task: absent }
    case 'run':
      return { ...seen, task: working }
    case 'note-released':
      return { ...seen, released: seen.released + 1, task: absent }
    case 'end-singletons':
      return { ...seen, hasEnded: true }
    case 'start':
      return { ...seen, services: seen.services.map(() => working) }
    case 'look-again':
      return seen
    case 'succeed':
      return { ...seen, phase: 'succeeded' }
    case 'revert':
      return {
        ...seen,
        phase: 'reverting',
        failure: action.failure,
        deadline: action.deadline,
        task: absent,
      }
    case 'remove-services':
      return { ...seen, services: seen.services.map((one) => (one.state === 'absent' ? one : going)) }
    case 'fail':
      return { ...seen, phase: 'failed', failure: action.failure }
  }
}

const isOver = ({ phase }: SeenDeployment) =>
  phase === 'succeeded' || phase === 'failed' || phase === 'cancelled'

test('from every state of a deployment a few decisions lead to one that waits with a deadline, or is over', () => {
  fc.assert(
    fc.property(deployment, machine, (first, seen) => {
      let current = first
      for (let steps = 0; steps < 16; steps += 1) {
        const action = decide(current, seen, now)
        if (action === null || action.do === 'look-again') {
          if (!isOver(current)) expect(current.deadline === null || current.deadline > now).toBe(true)
          return
        }
        current = after(current, action)
      }
      throw new Error(`it does not settle: ${JSON.stringify(current)}`)
    }),
    { numRuns: 5_000 },
  )
})

test('requests are led to a release whose processes are all ready, and none begins beside one that must be alone', () => {
  fc.assert(
    fc.property(deployment, machine, (given, seen) => {
      const action = decide(given, seen, now)
      if (action?.do === 'enter' && action.phase === 'switching')
        expect(given.services.every(({ state }) => state === 'done')).toBe(true)
      if (action?.do === 'start') expect(given.singletons.every((one) => one.isOver)).toBe(true)
      if (action?.do === 'succeed') expect([given.phase, given.task.state]).toEqual(['switching', 'done'])
      if (action?.do === 'note-released') expect(given.released).toBeLessThan(given.commands)
    }),
    { numRuns: 5_000 },
  )
})

test('what was seen of a deployment that is over is not acted on', () => {
  fc.assert(
    fc.property(deployment, machine, (given, seen) => {
      if (isOver(given)) expect(decide(given, seen, now)).toBeNull()
    }),
  )
})
