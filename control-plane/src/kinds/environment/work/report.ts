import {
  type EnvironmentPhase,
  type EnvironmentReport,
  type JobLogEntry,
  mayMove,
  type Pause,
  type StepStatus,
  stepKey,
} from '@hearth/contract'
import type { ReportOutcome } from '../../../work/work-kind.ts'
import { watched } from '../life/life.ts'
import { decideMove, type PhaseMove } from '../lifecycle/phase.ts'
import type { EnvironmentRow, StoredEnvironmentStatus } from '../table.ts'

/** What a report is worth, before anything is changed. */
export function judgeReport(
  row: Pick<
    EnvironmentRow,
    'runner_id' | 'spec_version' | 'phase' | 'report_epoch' | 'report_sequence' | 'status'
  >,
  runnerEpoch: number,
  report: EnvironmentReport,
): ReportOutcome {
  if (row.runner_id !== report.runnerId || report.epoch !== runnerEpoch || row.phase === 'deleted')
    return 'refused'
  if (report.generation > row.spec_version) return 'refused'
  if (report.generation < row.status.leastGeneration) return 'stale'
  if (report.epoch !== row.report_epoch) return report.epoch > row.report_epoch ? 'applied' : 'stale'
  return report.sequence > Number(row.report_sequence) ? 'applied' : 'stale'
}

/** Only a retry brings back what has failed: a report may have been under way when it did. */
function mayReport(from: EnvironmentPhase, to: EnvironmentPhase): boolean {
  if (from === 'failed' && to !== 'deleting' && to !== 'deleted') return false
  return mayMove(from, to)
}

/** The status after a report. A step's start is kept from the first report of it: a restarted agent may not know it. */
export function mergeReport(
  status: StoredEnvironmentStatus,
  report: EnvironmentReport,
): StoredEnvironmentStatus {
  const known = new Map(status.steps.map((step) => [stepKey(step), step]))
  // A deleted environment reports no steps: the earlier ones are kept for the record.
  const reported = report.phase === 'deleted' || report.phase === 'deleting' ? status.steps : report.steps
  const steps = reported.map((step): StepStatus => {
    const before = known.get(stepKey(step))
    const startedAt = before?.startedAt ?? step.startedAt
    return { ...step, startedAt: step.phase === 'pending' ? step.startedAt : startedAt }
  })
  return {
    ...status,
    steps,
    address: report.address ?? status.address,
    identity: report.identity ?? status.identity,
    ...(report.startedFrom == null ? {} : { startedFrom: report.startedFrom }),
    ...(report.resumed == null ? {} : { resumed: report.resumed }),
    ...(report.restarts == null ? {} : { restarts: report.restarts }),
    ...declaredAfter(status, report),
    readyAt: status.readyAt ?? (report.phase === 'running' ? report.reportedAt : null),
    failure: report.failure ?? (report.phase === 'running' ? null : status.failure),
    observedSpecVersion: Math.max(status.observedSpecVersion, report.generation),
  }
}

/** One that says nothing of it is of an older agent, or of a machine that is gone. */
function declaredAfter(
  status: StoredEnvironmentStatus,
  { declared }: EnvironmentReport,
): Pick<StoredEnvironmentStatus, 'declared'> {
  const isNothing = declared === undefined || Object.keys(declared).length === 0
  return isNothing && status.declared === undefined ? {} : { declared: declared ?? status.declared ?? {} }
}

export interface ReportStep {
  outcome: ReportOutcome
  /** What an applied report changes. */
  move: PhaseMove | null
  /** Entries for the log of the environment's provisioning job. */
  entries: JobLogEntry[]
}

/** What one report changes in its environment, whose row must have been read under lock. */
export function decideReport(
  row: EnvironmentRow,
  runnerEpoch: number,
  report: EnvironmentReport,
  now: Date,
): ReportStep {
  const outcome = judgeReport(row, runnerEpoch, report)
  if (outcome !== 'applied') return { outcome, move: null, entries: [] }
  const status = { ...mergeReport(row.status, report), ...bindingAfter(row, report) }
  // A phase that may not follow was seen before a newer decision: the report's facts are kept, its phase is not.
  const phase = mayReport(row.phase, report.phase) ? report.phase : row.phase
  const move = decideMove(row, {
    phase,
    status:
      phase === 'deleted'
        ? status
        : { ...status, failure: phase === report.phase ? status.failure : row.status.failure },
    report: { epoch: report.epoch, sequence: report.sequence },
    paused: pauseAfter(row.paused, report.paused),
    life:
      row.life === null || report.activity === undefined
        ? row.life
        : watched(row.life, report.activity.secondsAgo, now),
    now,
  })
  return { outcome, move, entries: stepEntries(row.status, report) }
}

/** What a runner says of a binding counts for the claim that has the machine now. */
function bindingAfter(
  { claim_id }: Pick<EnvironmentRow, 'claim_id'>,
  { binding }: EnvironmentReport,
): Pick<StoredEnvironmentStatus, 'binding'> {
  return binding == null || binding.claimId !== claim_id ? {} : { binding }
}

/** The beginning is kept from the first report of it: a restarted agent does not know it. */
function pauseAfter(before: Pause | null, reported: Pause | null): Pause | null {
  return before !== null && before.reason === reported?.reason ? before : reported
}

function stepEntries(status: StoredEnvironmentStatus, report: EnvironmentReport): JobLogEntry[] {
  const before = new Map(status.steps.map((step) => [stepKey(step), step.phase]))
  return report.steps
    .filter((step) => step.phase !== 'pending' && before.get(stepKey(step)) !== step.phase)
    .map((step) => ({
      time: step.finishedAt ?? step.startedAt ?? report.reportedAt,
      level: step.phase === 'failed' ? 'error' : 'info',
      message:
        step.error === null
          ? `${stepKey(step)} ${step.phase}`
          : `${stepKey(step)} ${step.phase}: ${step.error}`,
      step: stepKey(step),
    }))
}
