import { noProcesses } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { restoredBinding } from './binding-record.ts'
import { fromImage, fromLayer } from './machine-origin.ts'
import {
  absent,
  anyMachine,
  anyRecord,
  anySource,
  anyWanted,
  host,
  identity,
  machine,
  plan,
  runnerId,
  snapshotId,
} from './next-step.fixture.ts'
import { type NextStep, nextStep, phaseDuring, type Seen, type Wanted } from './next-step.ts'
import { firstOpenStep, newRecord, reopened, restoredSteps } from './record.ts'

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
        const waiting = power === 'paused' ? ['provisioning', 'starting', 'resuming', 'running'] : []
        // One whose memory cannot be kept runs on, and says why.
        const tried = record?.suspensionFault?.generation ?? 0
        const kept = wanted.desiredPhase === 'suspended' && tried >= wanted.generation
        expectRestored(wanted, steps)
        expect(last).toMatchObject({
          kind: 'rest',
          phase: expect.toSatisfy((phase) =>
            [wanted.desiredPhase, 'failed', ...waiting, ...(kept ? ['running'] : [])].includes(phase),
          ),
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

/** A machine that runs in the end is the one that the order asks for, and put back no more than once. */
function expectRestored({ source }: Wanted, steps: { step: NextStep; seen: Seen }[]): void {
  expect(steps.filter(({ step }) => step.kind === 'restore').length).toBeLessThanOrEqual(1)
  const { step, seen } = steps.at(-1) ?? {}
  if (step?.kind !== 'rest' || step.phase !== 'running' || source == null || seen?.machine.power === 'paused')
    return
  expect(seen?.record?.incarnation).toBeGreaterThanOrEqual(source.incarnation)
  expect(seen?.record?.memoryStart).not.toBe('given_up')
}

test('whatever becomes of layer and memory, the machine runs, or fails where only the snapshot would do', () => {
  const anyOutcome = fc.record({
    layer: fc.constantFrom('fits', 'damaged'),
    memory: fc.constantFrom('fits', 'unusable', 'gate', 'cut'),
  })
  fc.assert(
    fc.property(anySource, anyOutcome, (source, outcome) => {
      const wanted: Wanted = { desiredPhase: 'running', epoch: 1, generation: 1, runnerId, source }
      const steps = follow(wanted, { machine: absent, record: null }, outcome)
      const { step, seen } = steps.at(-1) ?? {}
      const from = seen?.record?.startedFrom
      if (source !== null && outcome.layer === 'damaged' && source.onlyFromSnapshot) {
        expect(step).toMatchObject({ phase: 'failed', failure: { code: 'layer_damaged' } })
        return
      }
      expect(step).toMatchObject({ phase: 'running', failure: null })
      const isFromImage = source === null || outcome.layer === 'damaged'
      const usable = ['fits', 'cut'].includes(outcome.memory)
      const expected = isFromImage ? 'image' : source.memory && usable ? 'memory' : 'disk'
      expect(from?.from).toBe(expected)
      // The order of falling back is memory, disk, image, and says why.
      const quickest = source === null ? 'image' : source.memory ? 'memory' : 'disk'
      expect(from?.reason === null).toBe(expected === quickest)
      const held = seen?.record?.steps.filter(({ phase }) => phase === 'held').length
      expect(held).toBe(isFromImage ? 0 : source.heldSteps.length)
      expect(seen?.record?.steps.some(({ name }) => name === 'own_identity')).toBe(!isFromImage)
    }),
    { numRuns: 500 },
  )
})

/** What becomes of a start from a snapshot. */
interface Outcome {
  layer: string
  /** `gate`: the resumed guest cannot be used; `cut`: the agent is killed while the memory is loaded. */
  memory: string
}

/**
 * Every step until there is none left or a refusal, each with the state before it, on a host where every step
 * succeeds.
 */
function follow(
  wanted: Wanted,
  from: Seen,
  outcome: Outcome = { layer: 'fits', memory: 'fits' },
): { step: NextStep; seen: Seen }[] {
  const taken: { step: NextStep; seen: Seen }[] = []
  for (
    let seen = from;
    taken.length < 30;
    seen = after(taken.at(-1)?.step as NextStep, seen, wanted, outcome)
  ) {
    const step = nextStep(wanted, seen)
    expect(phaseDuring(step, seen.record)).toBeTypeOf('string')
    taken.push({ step, seen })
    if (step.kind === 'rest' || step.kind === 'refuse') return taken
  }
  return expect.unreachable('no rest after 30 steps')
}

const layer = {
  facts: {
    ...{ parentId: null, depth: 1, totalBytes: 1, virtualBytes: 1, memoryFault: null, pausedMilliseconds: 0 },
    disk: { bytes: 1, digest: '' },
    memory: { bytes: 1, digest: '' },
  },
  origin: null,
}

/** The state after a step, on a host where every step succeeds but for the outcome. */
function after(step: NextStep, seen: Seen, wanted: Wanted, outcome: Outcome): Seen {
  const { machine: before } = seen
  const record = seen.record ?? newRecord(wanted.generation, plan, wanted.source)
  const { source } = wanted
  switch (step.kind) {
    case 'read_repository':
      return {
        machine: before,
        record: { ...record, declared: { ...record.declared, [step.repository]: noProcesses } },
      }
    case 'create': {
      if (step.source !== null && outcome.layer === 'damaged') {
        const failure = { code: 'layer_damaged' as const, message: '' }
        if (step.source.onlyFromSnapshot) {
          return { machine: before, record: { ...record, failure, failedGeneration: wanted.generation } }
        }
        const steps = newRecord(1, plan).steps
        return { machine: before, record: { ...record, steps, ...fromImage(step.source, 'damaged') } }
      }
      const made = machine('shut_off', wanted.epoch, wanted.generation)
      const known = record.startedFrom?.reason ?? null
      const origin = step.source === null ? fromImage(source ?? null, known) : fromLayer(step.source, layer)
      return { machine: made, record: { ...record, ...origin } }
    }
    case 'restore':
      return {
        machine: { ...before, power: 'shut_off' },
        record: {
          ...{ ...record, power: 'stopped', identity: null, failure: null, failedGeneration: 0 },
          steps: restoredSteps(record.steps, step.source),
          incarnation: step.source.incarnation,
          binding: restoredBinding(record.binding),
          ...fromLayer(step.source, layer),
        },
      }
    case 'leave_memory':
      return {
        machine: { ...before, power: 'shut_off' },
        record: {
          ...{ ...record, power: 'stopped', identity: null, memoryStart: 'none' },
          steps: reopened(record.steps, 'own_identity'),
        },
      }
    case 'start_from_memory': {
      const startedFrom = { snapshotId, incarnation: 1, from: 'disk', reason: 'it does not fit' } as const
      if (outcome.memory === 'unusable')
        return { machine: before, record: { ...record, memoryStart: 'none', startedFrom } }
      if (outcome.memory === 'cut' && record.memoryStart === 'wanted') {
        return { machine: { ...before, power: 'paused' }, record: { ...record, memoryStart: 'begun' } }
      }
      return after(
        { kind: 'start' },
        { machine: before, record: { ...record, memoryStart: 'none' } },
        wanted,
        outcome,
      )
    }
    case 'tell':
      expect(seen.machine.power).toBe('running')
      return { machine: before, record: { ...record, toldNotice: step.notice.key } }
    case 'scrub':
      return { machine: before, record: { ...record, isScrubbed: true } }
    case 'start': {
      const steps = record.steps.map((each) =>
        each.name === 'create_vm' ? { ...each, phase: 'succeeded' as const } : each,
      )
      return {
        machine: { ...before, power: 'running' },
        record: { ...record, power: 'running', identity: null, steps, isScrubbed: false },
      }
    }
    case 'provision': {
      expect(step.index).toBe(firstOpenStep(record.steps))
      if (record.startedFrom?.from === 'memory' && outcome.memory === 'gate') {
        const startedFrom = { ...record.startedFrom, from: 'disk' as const, reason: 'no answer' }
        return { machine: before, record: { ...record, memoryStart: 'given_up', startedFrom } }
      }
      const steps = record.steps.map((each, index) =>
        index === step.index ? { ...each, phase: 'succeeded' as const } : each,
      )
      return { machine: before, record: { ...record, steps } }
    }
    case 'bind': {
      const { claimId = '', attempt = 0 } = wanted.binding ?? {}
      const bound = { phase: 'bound' as const, steps: [], boundAt: null, failure: null }
      return {
        machine: before,
        record: {
          ...record,
          binding: { claimId, attempt, ...bound, formerHostname: null, lacksVariables: false },
        },
      }
    }
    case 'bind_again': {
      const binding = record.binding === null ? null : { ...record.binding, lacksVariables: false }
      return { machine: before, record: { ...record, binding } }
    }
    case 'check_guest':
      return { machine: before, record: { ...record, identity } }
    case 'stamp':
      return { machine: machine(before.power, wanted.epoch, wanted.generation), record: seen.record }
    case 'suspend':
      expect(before.power).toMatch(/running|suspended/)
      return {
        machine: { ...before, power: 'suspended' },
        record: { ...record, power: 'stopped', identity: null, suspensionFault: null },
      }
    case 'resume':
      return {
        machine: { ...before, power: 'running' },
        record: { ...record, power: 'running', identity: null, isResuming: true },
      }
    case 'stop':
      return {
        machine: { ...before, power: 'shut_off' },
        record: { ...record, power: 'stopped', identity: null },
      }
    case 'remove':
    case 'start_over':
      return { machine: absent, record: null }
    case 'restart':
      return { machine: before, record: { ...record, power: 'stopped', identity: null } }
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
