import type { ReportEnvelope } from '@hearth/contract'
import type { DatabaseTransaction } from '../database/connection.ts'
import { judgeReport, type ReportedRow } from './report-worth.ts'
import { readEpochs } from './runner-epochs.ts'
import type { ReportOutcome } from './work-kind.ts'

/** What reports are of, each once. */
export const idsOf = (reports: readonly Pick<ReportEnvelope, 'id'>[]): string[] => [
  ...new Set(reports.map(({ id }) => id)),
]

/**
 * Applies reports to the rows that they are of, which the caller has locked: those of one row in the order given. Stale and
 * refused ones change nothing. `apply` resolves with the row after the report, or with null when what it is of is gone.
 */
export async function applyInTurn<Row extends ReportedRow & { id: string }, Report extends ReportEnvelope>(
  tx: DatabaseTransaction,
  rows: readonly Row[],
  reports: readonly Report[],
  apply: (row: Row, report: Report) => Promise<Row | null>,
): Promise<ReportOutcome[]> {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const epochs = await readEpochs(
    tx,
    rows.map(({ runner_id }) => runner_id),
  )
  const outcomes: ReportOutcome[] = []
  for (const report of reports) {
    const row = byId.get(report.id)
    const epoch = row?.runner_id == null ? null : (epochs.get(row.runner_id) ?? null)
    const outcome = row === undefined ? 'refused' : judgeReport(row, epoch, report)
    outcomes.push(outcome)
    if (row === undefined || outcome !== 'applied') continue
    const after = await apply(row, report)
    if (after === null) byId.delete(row.id)
    else byId.set(row.id, after)
  }
  return outcomes
}
