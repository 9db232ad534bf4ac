import { isDeepStrictEqual } from 'node:util'
import type { VolumeReport } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../../database/connection.ts'
import { transact } from '../../../database/transact.ts'
import { wakeAt } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { judgeReport } from '../../../work/report-worth.ts'
import { readEpochs } from '../../../work/runner-epochs.ts'
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
    const rows = await lockVolumes(tx, [...new Set(reports.map(({ id }) => id))])
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
      const after = await apply(tx, row, report, now)
      if (after === null) byId.delete(row.id)
      else byId.set(row.id, after)
    }
    return outcomes
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
  const message = `a report of the runner (phase ${report.phase}, sequence ${report.sequence}) was dropped: ${cause}`
  await transact(database, async (tx) => {
    const [row] = await lockVolumes(tx, [report.id])
    if (row === undefined || row.runner_id !== report.runnerId) return
    const status = { ...row.status, failure: { code: 'internal' as const, message } }
    const changed = await volumes.changeStatus(tx, row.id, { status })
    await recordEvent(tx, 'updated', toVolume(changed))
  })
}
