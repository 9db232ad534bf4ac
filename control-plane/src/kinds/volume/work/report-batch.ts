import { isDeepStrictEqual } from 'node:util'
import type { VolumeReport } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../../database/connection.ts'
import { transact } from '../../../database/transact.ts'
import { wakeAt } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { applyInTurn, idsOf } from '../../../work/apply-in-turn.ts'
import { droppedInWords } from '../../../work/dropped-report.ts'
import type { ReportOutcome } from '../../../work/work-kind.ts'
import { deadlineOf } from '../decide.ts'
import { lockVolumes, volumes } from '../queries.ts'
import { toVolume, type VolumeRow } from '../table.ts'
import { removeVolume, wakeKeeper } from '../write.ts'
import { afterReport } from './report.ts'

/** Commits reports together, those of one volume in the order given; stale and repeated ones change nothing. */
export async function applyReports(
  database: Database,
  clock: Clock,
  reports: readonly VolumeReport[],
): Promise<ReportOutcome[]> {
  return transact(database, async (tx) => {
    const now = clock.now()
    const rows = await lockVolumes(tx, idsOf(reports))
    return applyInTurn(tx, rows, reports, (row, report) => apply(tx, row, report, now))
  })
}

/** Resolves with the row after the report; null when the volume is gone. */
async function apply(
  tx: DatabaseTransaction,
  row: VolumeRow,
  report: VolumeReport,
  now: Date,
): Promise<VolumeRow | null> {
  const { phase, status, isGone } = afterReport(row, report)
  if (isGone) {
    await removeVolume(tx, row)
    return null
  }
  const placed = { report_epoch: report.epoch, report_sequence: `${report.sequence}` }
  const moves = phase !== row.phase
  if (!moves && isDeepStrictEqual(status, row.status)) {
    await tx.updateTable('volumes').set(placed).where('id', '=', row.id).execute()
    return { ...row, ...placed }
  }
  const deadline = moves ? deadlineOf(phase, now) : row.deadline
  const changed = await volumes.changeStatus(tx, row.id, {
    ...placed,
    phase,
    status,
    deadline,
    ...(moves ? { phase_since: now } : {}),
  })
  await recordEvent(tx, 'updated', toVolume(changed))
  await wakeKeeper(tx, changed)
  if (moves && deadline !== null) await wakeAt(tx, 'volume', row.id, deadline)
  return changed
}

/** Records at the volume that a report of its runner was dropped. */
export async function recordDropped(
  database: Database,
  _: Clock,
  report: VolumeReport,
  cause: string,
): Promise<void> {
  const message = droppedInWords(report, cause)
  await transact(database, async (tx) => {
    const [row] = await lockVolumes(tx, [report.id])
    if (row === undefined || row.runner_id !== report.runnerId) return
    const status = { ...row.status, failure: { code: 'internal' as const, message } }
    const changed = await volumes.changeStatus(tx, row.id, { status })
    await recordEvent(tx, 'updated', toVolume(changed))
  })
}
