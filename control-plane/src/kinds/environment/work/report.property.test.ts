import {
  type EnvironmentReport,
  environmentPhases,
  mayMove,
  noLifeCap,
  reportedPhaseSchema,
  stepKey,
} from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newLife } from '../life/life.ts'
import { decideMove } from '../lifecycle/phase.ts'
import { type EnvironmentRow, emptyStatus } from '../table.ts'
import { decideReport } from './report.ts'

const now = new Date('2026-01-01T12:00:00Z')
const steps = ['create_vm', 'ensure_server', 'project_setup'] as const
const number = fc.integer({ min: 1, max: 4 })
const anyReport = fc
  .record({
    runnerId: fc.constantFrom('north', 'south'),
    epoch: number,
    generation: number,
    sequence: fc.integer({ min: 1, max: 8 }),
    phase: fc.constantFrom(...reportedPhaseSchema.options),
    hasFailed: fc.boolean(),
    isPaused: fc.boolean(),
    reached: fc.integer({ min: 0, max: steps.length }),
    activity: fc.constantFrom(undefined, { secondsAgo: null }, { secondsAgo: 0 }, { secondsAgo: 100 }),
  })
  .map(({ hasFailed, isPaused, reached, activity, ...rest }): EnvironmentReport => {
    const base = {
      repository: null,
      durationMilliseconds: null,
      exitCode: null,
      output: '',
      outputBytes: 0,
      error: null,
    }
    return {
      ...rest,
      kind: 'environment',
      id: 'e',
      address: null,
      identity: null,
      paused: isPaused ? { reason: 'io_error', since: now.toISOString() } : null,
      steps: steps.map((name, index) => ({
        ...base,
        name,
        phase: index < reached ? 'succeeded' : 'pending',
        startedAt: index < reached ? now.toISOString() : null,
        finishedAt: null,
      })),
      failure: hasFailed ? { code: 'command_failed', message: 'make exited with 2' } : null,
      reportedAt: now.toISOString(),
      ...(activity === undefined ? {} : { activity }),
    }
  })
const anyRow = fc
  .record({
    phase: fc.constantFrom(...environmentPhases),
    runner_id: fc.option(fc.constantFrom('north', 'south')),
    spec_version: number,
    report_epoch: fc.nat(4),
    sequence: fc.nat(8),
    leastGeneration: fc.nat(3),
    life: fc.constantFrom(
      null,
      newLife([{ idleSeconds: 60 }], noLifeCap, new Date(now.getTime() - 50_000)),
      newLife([{ lifetimeSeconds: 3_600 }], noLifeCap, now),
    ),
  })
  .map(({ sequence, leastGeneration, ...rest }) => ({
    ...rest,
    id: 'e',
    status_version: 1,
    paused: null,
    report_sequence: `${sequence}`,
    status: { ...emptyStatus, leastGeneration },
  })) as unknown as fc.Arbitrary<EnvironmentRow>

/** The row as stored after a report. */
function after(row: EnvironmentRow, report: EnvironmentReport, runnerEpoch: number): EnvironmentRow {
  return decideReport(row, runnerEpoch, report, now).move?.after ?? row
}

test('reports in any order, any number of times: versions only rise, phases follow the table, the end is the end', () => {
  fc.assert(
    fc.property(anyRow, number, fc.array(anyReport, { maxLength: 12 }), (first, runnerEpoch, reports) => {
      let row = first
      for (const report of reports) {
        const next = after(row, report, runnerEpoch)
        expect(next.status_version).toBeGreaterThanOrEqual(row.status_version)
        expect(next.status.observedSpecVersion).toBeGreaterThanOrEqual(row.status.observedSpecVersion)
        expect(next.status.observedSpecVersion).toBeLessThanOrEqual(next.spec_version)
        if (next.phase !== row.phase) expect(mayMove(row.phase, next.phase)).toBe(true)
        if (row.phase === 'deleted') expect(next).toBe(row)
        // The same report once more changes nothing.
        expect(after(next, report, runnerEpoch)).toBe(next)
        row = next
      }
    }),
    { numRuns: 500 },
  )
})

test('only reports of the machine’s runner, under its present lease and about the present try, count', () => {
  fc.assert(
    fc.property(anyRow, number, anyReport, (row, runnerEpoch, report) => {
      const { outcome } = decideReport(row, runnerEpoch, report, now)
      if (outcome !== 'applied') return
      expect(report.runnerId).toBe(row.runner_id)
      expect(report.epoch).toBe(runnerEpoch)
      expect(report.generation).toBeLessThanOrEqual(row.spec_version)
      expect(report.generation).toBeGreaterThanOrEqual(row.status.leastGeneration)
    }),
    { numRuns: 500 },
  )
})

test('of two reports of one lease the later one wins in any order of arrival, and a step keeps its start', () => {
  fc.assert(
    fc.property(anyRow, number, anyReport, anyReport, (row, runnerEpoch, one, two) => {
      fc.pre(row.report_epoch <= runnerEpoch)
      const [early, late] = [one, two].map((report, index) => ({
        ...report,
        epoch: runnerEpoch,
        sequence: 10 + index,
        runnerId: one.runnerId,
        generation: one.generation,
      }))
      if (early === undefined || late === undefined) return
      const reversed = after(after(row, late, runnerEpoch), early, runnerEpoch)
      expect(reversed).toEqual(after(row, late, runnerEpoch))
      const inOrder = after(after(row, early, runnerEpoch), late, runnerEpoch)
      const known = new Map(after(row, early, runnerEpoch).status.steps.map((step) => [stepKey(step), step]))
      for (const step of inOrder.status.steps) {
        const started = known.get(stepKey(step))?.startedAt
        if (step.phase !== 'pending' && started != null) expect(step.startedAt).toBe(started)
      }
    }),
    { numRuns: 500 },
  )
})

test('the first report of a machine’s new runner counts, however many the former runner sent', () => {
  fc.assert(
    fc.property(anyRow, number, anyReport, (row, runnerEpoch, report) => {
      const moved = decideMove(
        { ...row, phase: 'pending' },
        { phase: 'provisioning', runnerId: 'west', now },
      ).after
      const first = {
        ...report,
        runnerId: 'west',
        epoch: runnerEpoch,
        sequence: 1,
        generation: row.spec_version,
      }
      fc.pre(first.generation >= row.status.leastGeneration)
      expect(decideReport(moved, runnerEpoch, first, now).outcome).toBe('applied')
    }),
  )
})

test('no report makes a machine used before it was, or later than now', () => {
  fc.assert(
    fc.property(anyRow, number, anyReport, (row, runnerEpoch, report) => {
      const { life } = after(row, report, runnerEpoch)
      expect(life === null).toBe(row.life === null)
      if (life === null || row.life === null) return
      const used = Date.parse(life.activeAt)
      expect(used).toBeLessThanOrEqual(now.getTime())
      expect(used).toBeGreaterThanOrEqual(Date.parse(row.life.activeAt))
    }),
  )
})
