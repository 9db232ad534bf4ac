import type { EnvironmentReport, StepStatus } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptyStatus } from '../table.ts'
import { judgeReport, mergeReport } from './report.ts'

const row = {
  runner_id: 'runner-1',
  spec_version: 3,
  phase: 'provisioning' as const,
  report_epoch: 2,
  report_sequence: '10',
  status: emptyStatus,
}

function report(change: Partial<EnvironmentReport> = {}): EnvironmentReport {
  return {
    kind: 'environment',
    id: 'environment-1',
    runnerId: 'runner-1',
    epoch: 2,
    generation: 3,
    sequence: 11,
    phase: 'provisioning',
    address: null,
    identity: null,
    paused: null,
    steps: [],
    failure: null,
    reportedAt: '2026-01-01T00:00:00.000Z',
    ...change,
  }
}

const step = (change: Partial<StepStatus>): StepStatus => ({
  name: 'project_setup',
  repository: null,
  phase: 'running',
  startedAt: null,
  finishedAt: null,
  durationMilliseconds: null,
  exitCode: null,
  output: '',
  outputBytes: 0,
  error: null,
  ...change,
})

test('a newer report is applied; a repeated or older one is stale', () => {
  expect(judgeReport(row, 2, report())).toBe('applied')
  expect(judgeReport(row, 2, report({ sequence: 10 }))).toBe('stale')
  expect(judgeReport(row, 2, report({ sequence: 1 }))).toBe('stale')
})

test('after a restart of the agent its sequence begins anew under a higher epoch', () => {
  expect(judgeReport(row, 3, report({ epoch: 3, sequence: 1 }))).toBe('applied')
})

test('reports of a superseded agent, another runner, or an unknown generation are refused', () => {
  expect(judgeReport(row, 3, report({ epoch: 2, sequence: 99 }))).toBe('refused')
  expect(judgeReport(row, 2, report({ runnerId: 'runner-2' }))).toBe('refused')
  expect(judgeReport(row, 2, report({ generation: 4 }))).toBe('refused')
  expect(judgeReport({ ...row, phase: 'deleted' }, 2, report())).toBe('refused')
})

test('after a retry, reports about the earlier try are ignored', () => {
  const retried = { ...row, status: { ...emptyStatus, leastGeneration: 3 } }
  expect(judgeReport(retried, 2, report({ generation: 2 }))).toBe('stale')
  expect(judgeReport(retried, 2, report({ generation: 3 }))).toBe('applied')
})

test('in whatever order reports arrive, and however often, the newest is what counts', () => {
  const reports = fc.shuffledSubarray(
    Array.from({ length: 8 }, (_, index) => report({ sequence: index + 11, generation: 3 })),
    { minLength: 1 },
  )
  fc.assert(
    fc.property(reports, fc.array(fc.nat(7)), (arrived, repeats) => {
      let state = { ...row }
      const all = [...arrived, ...repeats.flatMap((index) => arrived[index] ?? [])]
      for (const one of all) {
        if (judgeReport(state, 2, one) === 'applied')
          state = { ...state, report_sequence: String(one.sequence) }
      }
      expect(Number(state.report_sequence)).toBe(Math.max(...arrived.map(({ sequence }) => sequence)))
    }),
  )
})

test('a step keeps the start it was first reported with, which a restarted agent may not know', () => {
  const started = '2026-01-01T00:00:00.000Z'
  const first = mergeReport(emptyStatus, report({ steps: [step({ startedAt: started })] }))
  const second = mergeReport(first, report({ steps: [step({ startedAt: null, phase: 'succeeded' })] }))
  expect(second.steps[0]).toMatchObject({ startedAt: started, phase: 'succeeded' })
})

test('readyAt is the time when it first ran, and does not change', () => {
  const first = mergeReport(emptyStatus, report({ phase: 'running' }))
  const second = mergeReport(first, report({ phase: 'running', reportedAt: '2026-01-02T00:00:00.000Z' }))
  expect(second.readyAt).toBe('2026-01-01T00:00:00.000Z')
})
