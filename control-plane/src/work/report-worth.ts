import type { ReportEnvelope } from '@hearth/contract'
import type { ReportOutcome } from './work-kind.ts'

/** What is known of a resource that one runner at a time works on. */
export interface ReportedRow {
  runner_id: string | null
  spec_version: number
  report_epoch: number
  /** A whole number, as PostgreSQL gives a bigint. */
  report_sequence: string
}

/** What a report is worth, before anything is changed. */
export function judgeReport(
  row: ReportedRow,
  runnerEpoch: number | null,
  report: Pick<ReportEnvelope, 'runnerId' | 'epoch' | 'generation' | 'sequence'>,
): ReportOutcome {
  if (row.runner_id !== report.runnerId || report.epoch !== runnerEpoch) return 'refused'
  if (report.generation > row.spec_version) return 'refused'
  if (report.epoch !== row.report_epoch) return report.epoch > row.report_epoch ? 'applied' : 'stale'
  return report.sequence > Number(row.report_sequence) ? 'applied' : 'stale'
}
