import {
  type EnvironmentPhase,
  type EnvironmentReport,
  type JobLogEntry,
  mayMove,
  type StepStatus,
  stepKey,
} from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../database/connection.ts'
import { requestPurge } from '../../database/outbox.ts'
import { transact } from '../../database/transact.ts'
import { continueJob } from '../job/index.ts'
import { movePhase } from './phase.ts'
import { lockEnvironment } from './queries.ts'
import type { EnvironmentRow, StoredEnvironmentStatus } from './table.ts'

export type ReportOutcome = 'applied' | 'stale' | 'refused'

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
  const newer = report.epoch > row.report_epoch || report.sequence > Number(row.report_sequence)
  return newer ? 'applied' : 'stale'
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
  const steps = report.steps.map((step): StepStatus => {
    const before = known.get(stepKey(step))
    const startedAt = before?.startedAt ?? step.startedAt
    return { ...step, startedAt: step.phase === 'pending' ? step.startedAt : startedAt }
  })
  return {
    ...status,
    steps,
    address: report.address ?? status.address,
    identity: report.identity ?? status.identity,
    readyAt: status.readyAt ?? (report.phase === 'running' ? report.reportedAt : null),
    failure: report.failure ?? (report.phase === 'running' ? null : status.failure),
    observedSpecVersion: Math.max(status.observedSpecVersion, report.generation),
  }
}

/** Commits a report, or refuses it: stale, repeated and reordered ones change nothing. */
export async function applyReport(
  database: Database,
  clock: Clock,
  report: EnvironmentReport,
): Promise<ReportOutcome> {
  return transact(database, async (tx) => {
    const row = await lockEnvironment(tx, report.id)
    if (row === undefined) return 'refused'
    const runner = await tx
      .selectFrom('runners')
      .select('epoch')
      .where('id', '=', report.runnerId)
      .executeTakeFirst()
    const outcome = judgeReport(row, runner?.epoch ?? 0, report)
    if (outcome !== 'applied') return outcome
    const status = mergeReport(row.status, report)
    // A phase that may not follow is one seen before something newer was decided: its facts count, it does not.
    const phase = mayReport(row.phase, report.phase) ? report.phase : row.phase
    await logSteps(tx, row, report)
    const changed = await movePhase(tx, row, {
      phase,
      status:
        phase === 'deleted'
          ? status
          : { ...status, failure: phase === report.phase ? status.failure : row.status.failure },
      report: { epoch: report.epoch, sequence: report.sequence },
      now: clock.now(),
    })
    if (changed.phase === 'deleted') await requestPurge(tx, { id: row.id, runnerId: report.runnerId })
    return outcome
  })
}

async function logSteps(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  report: EnvironmentReport,
): Promise<void> {
  const before = new Map(row.status.steps.map((step) => [stepKey(step), step.phase]))
  const entries = report.steps
    .filter((step) => step.phase !== 'pending' && before.get(stepKey(step)) !== step.phase)
    .map(
      (step): JobLogEntry => ({
        time: step.finishedAt ?? step.startedAt ?? report.reportedAt,
        level: step.phase === 'failed' ? 'error' : 'info',
        message:
          step.error === null
            ? `${stepKey(step)} ${step.phase}`
            : `${stepKey(step)} ${step.phase}: ${step.error}`,
        step: stepKey(step),
      }),
    )
  await continueJob(tx, { operation: 'environment.provision', id: row.id }, entries)
}
