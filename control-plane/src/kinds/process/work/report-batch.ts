import { isDeepStrictEqual } from 'node:util'
import { type ProcessPhase, type ProcessReport, processWork } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../../database/connection.ts'
import { requestPurges } from '../../../database/outbox.ts'
import { transact } from '../../../database/transact.ts'
import { wakeMany } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { applyInTurn, idsOf } from '../../../work/apply-in-turn.ts'
import { droppedInWords } from '../../../work/dropped-report.ts'
import type { ReportOutcome } from '../../../work/work-kind.ts'
import { activePhases, keptSeconds } from '../decide.ts'
import { writeJournal } from '../journal.ts'
import { lockProcesses, processes, writeRuns } from '../queries.ts'
import { type ProcessRow, toListedProcess } from '../table.ts'
import { wakeFollowers } from '../wake-followers.ts'
import { afterReport } from './report.ts'

/** Commits reports together, those of one process in the order given; stale and repeated ones change nothing. */
export async function applyReports(
  database: Database,
  clock: Clock,
  reports: readonly ProcessReport[],
): Promise<ReportOutcome[]> {
  return transact(database, async (tx) => {
    const now = clock.now()
    const rows = await lockProcesses(tx, idsOf(reports))
    const environments = new Set<string>()
    const outcomes = await applyInTurn(tx, rows, reports, async (row, report) => {
      const after = await apply(tx, row, report, now)
      const isTold = after !== null && (await takeJournal(tx, row, report))
      if (isTold || after?.phase !== row.phase) environments.add(row.environment_id)
      return after
    })
    // What depends on it, or waits for its end, is seen to.
    await wakeMany(
      tx,
      [...environments].map((id) => ({ kind: 'process' as const, id })),
    )
    await wakeFollowers(tx, [...environments])
    return outcomes
  })
}

/** Resolves with the row after the report; null when the process is gone. */
async function apply(
  tx: DatabaseTransaction,
  row: ProcessRow,
  report: ProcessReport,
  now: Date,
): Promise<ProcessRow | null> {
  const { phase, status, isForgotten, runs } = afterReport(row, report)
  await writeRuns(tx, row.id, runs)
  const { runner_id: runnerId } = row
  if (isForgotten && row.desired === 'delete') {
    await processes.remove(tx, row.id)
    await recordEvent(tx, 'deleted', toListedProcess(row))
    if (runnerId !== null) await requestPurges(tx, processWork.kind, [{ id: row.id, runnerId }])
    return null
  }
  const placed = { report_epoch: report.epoch, report_sequence: `${report.sequence}` }
  const isReleased = isForgotten && !activePhases.has(phase)
  if (phase === row.phase && isDeepStrictEqual(status, row.status) && !isReleased) {
    // A report without news only updates the sequence, so that earlier ones are refused.
    await tx.updateTable('processes').set(placed).where('id', '=', row.id).execute()
    return { ...row, ...placed }
  }
  const moves = phase !== row.phase
  const changed = await processes.changeStatus(tx, row.id, {
    phase,
    status,
    ...(moves ? { phase_since: now, deadline: deadlineAfter(row, phase, now) } : {}),
    ...(isReleased ? { runner_id: null, report_epoch: 0, report_sequence: '0' } : placed),
  })
  if (moves || !isDeepStrictEqual(status, row.status))
    await recordEvent(tx, 'updated', toListedProcess(changed))
  if (runnerId !== null && isReleased) await requestPurges(tx, processWork.kind, [{ id: row.id, runnerId }])
  return changed
}

/** True where its owner has something to read. */
async function takeJournal(
  tx: DatabaseTransaction,
  row: ProcessRow,
  report: ProcessReport,
): Promise<boolean> {
  return row.spec.journal === undefined ? false : writeJournal(tx, row.id, report.journal)
}

function deadlineAfter(row: ProcessRow, phase: ProcessPhase, now: Date): Date | null {
  if (phase === 'starting') return row.deadline
  return activePhases.has(phase) ? null : new Date(now.getTime() + keptSeconds * 1000)
}

/** Records at the process that a report of its runner was dropped. */
export async function recordDropped(
  database: Database,
  _: Clock,
  report: ProcessReport,
  cause: string,
): Promise<void> {
  const message = droppedInWords(report, cause)
  await transact(database, async (tx) => {
    const [row] = await lockProcesses(tx, [report.id])
    if (row === undefined || row.runner_id !== report.runnerId) return
    const status = { ...row.status, failure: { code: 'internal' as const, message } }
    const changed = await processes.changeStatus(tx, row.id, { status })
    await recordEvent(tx, 'updated', toListedProcess(changed))
  })
}
