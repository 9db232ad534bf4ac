import { isDeepStrictEqual } from 'node:util'
import type { SnapshotReport } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../../database/connection.ts'
import { transact } from '../../../database/transact.ts'
import { wakeMany } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { ReportOutcome } from '../../../work/work-kind.ts'
import { lockSnapshots, readHolders, snapshots } from '../queries.ts'
import { removeHolders, settleSnapshot } from '../settle.ts'
import { type HolderRow, type SnapshotRow, toSnapshot } from '../table.ts'
import { factsAfter, holderAfter, judgeReport } from './report.ts'

/**
 * Commits reports together, those of one snapshot in the order given; stale, repeated and reordered ones change nothing.
 * What follows from them is done in the same transaction, since machines may wait for it.
 */
export async function applyReports(
  database: Database,
  clock: Clock,
  reports: readonly SnapshotReport[],
): Promise<ReportOutcome[]> {
  return transact(database, async (tx) => {
    const ids = [...new Set(reports.map(({ id }) => id))]
    const rows = new Map((await lockSnapshots(tx, ids)).map((row) => [row.id, row]))
    const outcomes: ReportOutcome[] = []
    const changed = new Set<string>()
    for (const report of reports) {
      const row = rows.get(report.id)
      const outcome = row === undefined ? 'refused' : await apply(tx, row, report)
      if (outcome === 'applied') {
        changed.add(report.id)
        const [after] = await lockSnapshots(tx, [report.id])
        if (after !== undefined) rows.set(report.id, after)
      }
      outcomes.push(outcome)
    }
    const now = clock.now()
    for (const id of changed) {
      const row = rows.get(id)
      if (row === undefined) continue
      const { deadline } = await settleSnapshot(tx, row, now)
      if (deadline !== null) await wakeMany(tx, [{ kind: 'snapshot', id, at: deadline }])
    }
    return outcomes
  })
}

async function apply(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  report: SnapshotReport,
): Promise<ReportOutcome> {
  const holders = await readHolders(tx, [row.id])
  const holder = holders.find(({ runner_id }) => runner_id === report.runnerId)
  const outcome = judgeReport(row, holder, report)
  if (outcome !== 'applied' || holder === undefined) return outcome
  const after = holderAfter(report)
  if (after === null) await removeHolders(tx, row.id, [report.runnerId])
  else await writeHolder(tx, report, after)
  const status = { ...row.status, ...factsAfter(row, report.layer), observedSpecVersion: report.generation }
  const parent_id = report.layer === null ? row.parent_id : await knownParent(tx, row, report.layer.parentId)
  const { phase, progress, kept_by, failure } = holder
  const isSame =
    isDeepStrictEqual(after, { phase, progress, kept_by, failure }) &&
    isDeepStrictEqual(status, row.status) &&
    parent_id === row.parent_id
  // A report without news only updates the sequence, so that earlier ones are refused.
  if (isSame) return outcome
  const changed = await snapshots.changeStatus(tx, row.id, { status, parent_id })
  await recordEvent(tx, 'updated', toSnapshot(changed, await readHolders(tx, [row.id])))
  return outcome
}

async function writeHolder(
  tx: DatabaseTransaction,
  { id, runnerId, epoch, sequence }: SnapshotReport,
  { phase, progress, kept_by, failure }: Pick<HolderRow, 'phase' | 'progress' | 'kept_by' | 'failure'>,
): Promise<void> {
  await tx
    .updateTable('snapshot_holders')
    .set({
      phase,
      progress: progress === null ? null : JSON.stringify(progress),
      kept_by: JSON.stringify(kept_by),
      failure: failure === null ? null : JSON.stringify(failure),
      report_epoch: epoch,
      report_sequence: `${sequence}`,
    })
    .where('snapshot_id', '=', id)
    .where('runner_id', '=', runnerId)
    .execute()
}

/** The parent that a runner names, where that is a snapshot of the same organization. */
async function knownParent(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  parentId: string | null,
): Promise<string | null> {
  if (parentId === null || parentId === row.id) return null
  const parent = await tx
    .selectFrom('snapshots')
    .select('id')
    .where('id', '=', parentId)
    .where('organization_id', '=', row.organization_id)
    .executeTakeFirst()
  return parent?.id ?? null
}

/** Records at the holder that a report of its runner was dropped. */
export async function recordDropped(
  database: Database,
  _: Clock,
  report: SnapshotReport,
  cause: string,
): Promise<void> {
  const message = `a report of the runner (phase ${report.phase}, sequence ${report.sequence}) was dropped: ${cause}`
  await database
    .updateTable('snapshot_holders')
    .set({ failure: JSON.stringify({ code: 'internal', message }) })
    .where('snapshot_id', '=', report.id)
    .where('runner_id', '=', report.runnerId)
    .execute()
}
