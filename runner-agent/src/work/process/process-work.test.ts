import type { ProcessOrder } from '@hearth/contract'
import { FixedClock } from '@hearth/foundation'
import { expect, test } from 'vitest'
import type { KnownRun } from '../../guest/process.ts'
import type { Task } from '../work.ts'
import type { SeenProcess } from './next-step.ts'
import type { ProcessContext } from './process-context.ts'
import { ProcessWork } from './process-work.ts'

const order = {
  ...{ id: 'process-1', environmentId: 'e', epoch: 3, generation: 1, type: 'service', desired: 'run' },
  ...{
    request: 1,
    runs: 1,
    variables: {},
    secretNames: [],
    sealedSecrets: null,
    inputs: [],
    journal: null,
    wish: null,
  },
  restart: { policy: 'always', limit: 10, firstSeconds: 2, mostSeconds: 60 },
} as unknown as ProcessOrder
const ended: KnownRun = {
  ...{ number: 1, request: 1, restarts: 0, startedAt: 1_000, readyAt: 1_000 },
  ending: { finishedAt: 2_000, cause: 'exit', exitCode: 1, signal: null },
}
const machine = {
  power: 'running',
  ownership: { owner: 'r', environmentId: 'e', epoch: 3, generation: 1, createdAt: '' },
}

interface Surroundings {
  /** Phases that are reported in between. */
  reports?: string[]
  clock?: FixedClock
  ordered?: ProcessOrder
  interrupted?: AbortSignal
}

/** The work of an agent on a process of a machine that runs, whose guest answers so. */
function workIn(processes: object, given: Surroundings = {}) {
  const { reports = [], ordered = order, interrupted = new AbortController().signal } = given
  const context = {
    machines: { look: async () => machine },
    guests: {
      use: () => ({ guest: { processes }, release: () => undefined }),
      taskRuns: () => () => undefined,
    },
    logs: { publishLog: async () => undefined },
    clock: given.clock ?? new FixedClock(new Date('2026-01-01T00:00:00Z')),
    closing: new AbortController().signal,
    track: () => undefined,
  }
  const task = {
    order: ordered,
    interrupted,
    interruption: () => () => undefined,
    report: (phase: string) => reports.push(phase),
  }
  const work = new ProcessWork(task as unknown as Task<ProcessOrder>, context as unknown as ProcessContext)
  const look = async () => {
    const seen = await work.look()
    return { seen: seen as Parameters<ProcessWork['take']>[1], step: work.next(ordered, seen as SeenProcess) }
  }
  const follow = async () => {
    const { seen, step } = await look()
    expect(step).toEqual({ kind: 'follow' })
    await work.take({ kind: 'follow' }, seen)
  }
  return { work, look, follow }
}

/** A guest with a run that ended while there was no agent. */
const withEnded = {
  newestRun: async () => ended,
  async *follow() {
    yield { kind: 'ready', at: 1_000 }
    yield { kind: 'output', offset: 0, chunk: Buffer.from('no\n') }
    yield { kind: 'ended', run: ended, outputBytes: 3 }
  },
}

test('what ended while there was no agent is told by the next: how it ended, and what it printed', async () => {
  const reports: string[] = []
  const restart = { ...order.restart, policy: 'never' } as const
  const ordered = { ...order, type: 'task', restart } as const
  const { work, look, follow } = workIn(withEnded, { reports, ordered })
  await follow()
  expect((await look()).step).toEqual({ kind: 'rest', phase: 'ended', failure: null })
  expect(work.report('ended', null).runs).toMatchObject([
    { number: 1, cause: 'exit', exitCode: 1, output: 'no\n' },
  ])
  // It does not seem to run meanwhile.
  expect(reports).toEqual([])
})

test('a run that ended before this agent began is followed by the next after the pause, as any other', async () => {
  const clock = new FixedClock(new Date('2026-01-01T00:00:00Z'))
  const { look, follow } = workIn(withEnded, { clock })
  await follow()
  clock.advance(1_500)
  expect((await look()).step).toEqual({ kind: 'pause', milliseconds: 500 })
  clock.advance(500)
  expect((await look()).step).toEqual({ kind: 'start', number: 2, restarts: 1 })
})

test('a run is told as it was where the next one did not begin before its machine went down', async () => {
  const power = new AbortController()
  const guest = {
    // Of a second run it has kept nothing.
    newestRun: async () => ended,
    async *follow({ number }: { number: number }) {
      if (number === 2) {
        power.abort()
        throw new Error('the machine went down')
      }
      yield* withEnded.follow()
    },
  }
  const { work, look, follow } = workIn(guest, { interrupted: power.signal })
  await follow()
  const told = { number: 1, cause: 'exit', exitCode: 1, output: 'no\n' }
  expect(work.report('restarting', null).runs).toMatchObject([told])
  const { seen } = await look()
  const start = work.take({ kind: 'start', number: 2, restarts: 1 }, seen)
  await expect(start).rejects.toThrow('the machine went down')
  expect((await look()).step).toEqual({ kind: 'follow' })
  expect(work.report('waiting', null).runs).toMatchObject([told])
})

test('a run is told what is wished before it begins, and its journal is told as soon as a line of it has ended', async () => {
  const reports: string[] = []
  const seen: unknown[] = []
  const guest = {
    newestRun: async () => null,
    tell: async (...[id, wish]: string[]) => seen.push([id, wish]),
    async *follow() {
      seen.push('begun')
      yield { kind: 'ready', at: 1_000 }
      yield { kind: 'output', offset: 0, chunk: Buffer.from('no line\n@status in') }
      seen.push(work.report('running', null).journal)
      yield { kind: 'output', offset: 18, chunk: Buffer.from('itializing\n') }
      seen.push(work.report('running', null).journal)
      yield { kind: 'ended', run: ended, outputBytes: 29 }
    },
  }
  const ordered = { ...order, runs: 0, journal: '@status ', wish: 'running' } as ProcessOrder
  const { work, look } = workIn(guest, { reports, ordered })
  for (let step = 0; step < 2; step += 1) {
    const found = await look()
    await work.take(found.step as Parameters<ProcessWork['take']>[0], found.seen)
  }
  const line = { run: 1, offset: 8, text: 'initializing' }
  expect(seen).toEqual([['process-1', 'running'], 'begun', [], [line]])
  expect(reports).toEqual(['starting', 'running', 'running'])
  // It is repeated until it is taken in, whatever else is told.
  expect(work.report('ended', null).journal).toEqual([line])
})
