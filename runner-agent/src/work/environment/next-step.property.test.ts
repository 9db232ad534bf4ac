import { samplePlan } from '@hearth/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Power } from '../../host/machine.ts'
import { type NextStep, nextStep, phaseDuring, type Seen, type Wanted } from './next-step.ts'
import { type EnvironmentRecord, firstOpenStep, newRecord } from './record.ts'

const plan = samplePlan({
  repositories: [{ url: 'https://example.org/shop.git', name: 'shop', branch: null, setup: [] }],
  variables: { A: 'b' },
  projectSetup: [{ name: 'one', command: 'true' }],
})
const identity = {
  machineId: '',
  hostname: '',
  hostKeyMatches: true,
  randomSeedFresh: true,
  clockOffsetMilliseconds: 0,
  checkedAt: '2026-01-01T00:00:00Z',
}
const runnerId = 'runner-1'
const host = { endReason: null, hostBootId: 'first' }
const machine = (power: Power, epoch: number, generation: number): Seen['machine'] => ({
  ...host,
  power,
  ownership: { owner: runnerId, environmentId: 'e', epoch, generation, createdAt: '' },
})
const absent: Seen['machine'] = { ...host, power: 'absent', ownership: null }
const fresh = newRecord(1, plan)

const powers: Power[] = ['absent', 'shut_off', 'running', 'paused', 'crashed']
const anyRecord = fc.option(
  fc
    .record({
      power: fc.constantFrom('stopped' as const, 'running' as const),
      open: fc.integer({ min: 0, max: fresh.steps.length }),
      checked: fc.boolean(),
      hasFailed: fc.boolean(),
      failedGeneration: fc.integer({ min: 0, max: 4 }),
    })
    .map(
      ({ power, open, checked, hasFailed, failedGeneration }): EnvironmentRecord => ({
        ...fresh,
        power,
        identity: checked ? identity : null,
        steps: fresh.steps.map((step, index) => ({ ...step, phase: index < open ? 'succeeded' : 'pending' })),
        failure: hasFailed ? { code: 'internal', message: '' } : null,
        failedGeneration,
      }),
    ),
  { nil: null },
)
const number = fc.integer({ min: 1, max: 4 })
const anyMachine = fc.record({ power: fc.constantFrom(...powers), epoch: number, generation: number })
const anyWanted = fc.record({
  desiredPhase: fc.constantFrom('running' as const, 'stopped' as const, 'deleted' as const),
  epoch: number,
  generation: number,
  runnerId: fc.constant(runnerId),
})

test('in every state, a machine that is not ours is only reported', () => {
  fc.assert(
    fc.property(
      anyWanted,
      anyMachine,
      anyRecord,
      fc.boolean(),
      (wanted, { power, epoch, generation }, record, unmarked) => {
        fc.pre(power !== 'absent' || !unmarked)
        const ownership = { owner: 'another', environmentId: 'e', epoch, generation, createdAt: '' }
        const step = nextStep(wanted, {
          machine: { ...host, power, ownership: unmarked ? null : ownership },
          record,
        })
        expect(step).toMatchObject({ kind: 'rest', phase: 'failed' })
      },
    ),
  )
})

test('from every state the steps lead to rest, without repeating a state', () => {
  fc.assert(
    fc.property(anyWanted, anyMachine, anyRecord, (wanted, { power, epoch, generation }, record) => {
      const steps = follow(wanted, {
        machine: power === 'absent' && record === null ? absent : machine(power, epoch, generation),
        record,
      })
      const last = steps.at(-1)?.step
      if (last?.kind === 'refuse') {
        expect(steps).toHaveLength(1)
        expect(last.superseded).toBe(epoch > wanted.epoch)
        expect(epoch > wanted.epoch || generation > wanted.generation).toBe(true)
      } else {
        // A paused machine stays paused until it is resumed.
        const waiting = power === 'paused' ? ['provisioning', 'starting'] : []
        expect(last).toMatchObject({
          kind: 'rest',
          phase: expect.toSatisfy((phase) => [wanted.desiredPhase, 'failed', ...waiting].includes(phase)),
        })
      }
    }),
    { numRuns: 2_000 },
  )
})

test('deletion is reached from every state that is ours and not newer', () => {
  fc.assert(
    fc.property(anyMachine, anyRecord, ({ power, epoch, generation }, record) => {
      const wanted: Wanted = { desiredPhase: 'deleted', epoch: 4, generation: 4, runnerId }
      const steps = follow(wanted, { machine: machine(power, epoch, generation), record })
      expect(steps.map(({ step }) => step.kind)).toEqual(['remove', 'rest'])
      expect(steps.at(-1)?.step).toMatchObject({ phase: 'deleted' })
    }),
  )
})

test('nothing is done to a machine before it has the numbers of the lease and the order', () => {
  fc.assert(
    fc.property(anyWanted, anyMachine, anyRecord, (wanted, { power, epoch, generation }, record) => {
      for (const { step, seen } of follow(wanted, { machine: machine(power, epoch, generation), record })) {
        const { ownership } = seen.machine
        if (ownership === null || ['stamp', 'refuse', 'remove'].includes(step.kind)) continue
        expect([ownership.epoch, ownership.generation]).toEqual([wanted.epoch, wanted.generation])
      }
    }),
    { numRuns: 1_000 },
  )
})

/**
 * Every step until there is none left or a refusal, each with the state before it, on a host where every step
 * succeeds.
 */
function follow(wanted: Wanted, from: Seen): { step: NextStep; seen: Seen }[] {
  const taken: { step: NextStep; seen: Seen }[] = []
  for (let seen = from; taken.length < 30; seen = after(taken.at(-1)?.step as NextStep, seen, wanted)) {
    const step = nextStep(wanted, seen)
    expect(phaseDuring(step, seen.record)).toBeTypeOf('string')
    taken.push({ step, seen })
    if (step.kind === 'rest' || step.kind === 'refuse') return taken
  }
  return expect.unreachable('no rest after 30 steps')
}

/** The state after a step, on a host where every step succeeds. */
function after(step: NextStep, seen: Seen, wanted: Wanted): Seen {
  const { machine: before } = seen
  const record = seen.record ?? newRecord(wanted.generation, plan)
  switch (step.kind) {
    case 'create':
      return { machine: machine('shut_off', wanted.epoch, wanted.generation), record }
    case 'start': {
      const steps = record.steps.map((each) =>
        each.name === 'create_vm' ? { ...each, phase: 'succeeded' as const } : each,
      )
      return {
        machine: { ...before, power: 'running' },
        record: { ...record, power: 'running', identity: null, steps },
      }
    }
    case 'provision': {
      expect(step.index).toBe(firstOpenStep(record.steps))
      const steps = record.steps.map((each, index) =>
        index === step.index ? { ...each, phase: 'succeeded' as const } : each,
      )
      return { machine: before, record: { ...record, steps } }
    }
    case 'check_guest':
      return { machine: before, record: { ...record, identity } }
    case 'stamp':
      return { machine: machine(before.power, wanted.epoch, wanted.generation), record: seen.record }
    case 'stop':
      return {
        machine: { ...before, power: 'shut_off' },
        record: { ...record, power: 'stopped', identity: null },
      }
    case 'remove':
    case 'start_over':
      return { machine: absent, record: null }
    case 'recover':
      return { machine: before, record: { ...record, failure: null, failedGeneration: 0, power: 'stopped' } }
    case 'fail':
      return {
        machine: before,
        record: { ...record, failure: step.failure, failedGeneration: wanted.generation },
      }
    case 'rest':
    case 'refuse':
      return seen
  }
}
