import { isDeepStrictEqual } from 'node:util'
import type { SnapshotReport } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../../database/connection.ts'
import { transact } from '../../../database/transact.ts'
import { wakeMany } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { idsOf } from '../../../work/apply-in-turn.ts'
import { droppedInWords } from '../../../work/dropped-report.ts'
import type { ReportOutcome } from '../../../work/work-kind.ts'
import { copyCame, renewGrant } from '../copies/carry-out.ts'
import { type CopyRow, isCopy } from '../copies/look.ts'
import { nextLook } from '../copies/next-look.ts'
import { removeHolders } from '../holders.ts'
import { lockSnapshots, readHolders, snapshots } from '../queries.ts'
import { settleSnapshot } from '../settle.ts'
import { type HolderRow, type SnapshotRow, toSnapshot } from '../table.ts'
import { factsAfter, holderAfter, judgeReport, standingAfter } from './report.ts'

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
    const now = clock.now()
    const rows = new Map((await lockSnapshots(tx, idsOf(reports))).map((row) => [row.id, row]))
    const outcomes: ReportOutcome[] = []
    const changed = new Set<string>()
    for (const report of reports) {
      const row = rows.get(report.id)
      const outcome = row === undefined ? 'refused' : await apply(tx, row, report, now)
      if (outcome === 'applied') {
        changed.add(report.id)
        const [after] = await lockSnapshots(tx, [report.id])
        if (after !== undefined) rows.set(report.id, after)
      }
      outcomes.push(outcome)
    }
    for (const id of changed) {
      const row = rows.get(id)
      if (row === undefined) continue
      const at = await nextLook(tx, await settleSnapshot(tx, row, now), now)
      if (at !== null) await wakeMany(tx, [{ kind: 'snapshot', id, at }])
    }
    return outcomes
  })
}

async function apply(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  report: SnapshotReport,
  now: Date,
): Promise<ReportOutcome> {
  const holders = await readHolders(tx, [row.id])
  const holder = holders.find(({ runner_id }) => runner_id === report.runnerId)
  const outcome = judgeReport(row, holder, report)
  if (outcome !== 'applied' || holder === undefined) return outcome
  const after = holderAfter(row, holder, report)
  if (isCopy(holder) && after !== null) await followCopy(tx, row, holder, after, now)
  if (after === null) await removeHolders(tx, row.id, [report.runnerId])
  else await writeHolder(tx, report, { ...after, ...standingAfter(holder, report, now) })
  const facts = isCopy(holder) ? {} : factsAfter(row, report.layer)
  const status = { ...row.status, ...facts, observedSpecVersion: report.generation }
  const parent_id = await parentAfter(tx, row, holders, report)
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

/** What follows for both runners of a copy. */
async function followCopy(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  copy: CopyRow,
  { phase, progress }: Pick<HolderRow, 'phase' | 'progress'>,
  now: Date,
): Promise<void> {
  if (phase === 'present' && copy.phase !== 'present') await copyCame(tx, row, copy)
  const isMoving = phase === 'copying' && (progress?.doneBytes ?? 0) > (copy.progress?.doneBytes ?? 0)
  if (isMoving) await renewGrant(tx, row.id, copy, now)
}

/**
 * The snapshot on which it stands anywhere: a layer that was flattened on one runner still stands on it on others.
 */
async function parentAfter(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  holders: readonly HolderRow[],
  { layer, runnerId }: SnapshotReport,
): Promise<string | null> {
  if (layer === null) return row.parent_id
  const others = holders.filter(
    ({ runner_id, phase, is_flat }) => runner_id !== runnerId && phase === 'present' && !is_flat,
  )
  return (await knownParent(tx, row, layer.parentId)) ?? (others.length > 0 ? row.parent_id : null)
}

type HolderChange = Pick<HolderRow, 'phase' | 'progress' | 'kept_by' | 'failure' | 'is_flat' | 'flattening'>

async function writeHolder(
  tx: DatabaseTransaction,
  { id, runnerId, epoch, sequence }: SnapshotReport,
  { phase, progress, kept_by, failure, is_flat, flattening }: HolderChange,
): Promise<void> {
  await tx
    .updateTable('snapshot_holders')
    .set({
      phase,
      progress: progress === null ? null : JSON.stringify(progress),
      kept_by: JSON.stringify(kept_by),
      failure: failure === null ? null : JSON.stringify(failure),
      is_flat,
      flattening: flattening === null ? null : JSON.stringify(flattening),
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
  const message = droppedInWords(report, cause)
  await database
    .updateTable('snapshot_holders')
    .set({ failure: JSON.stringify({ code: 'internal', message }) })
    .where('snapshot_id', '=', report.id)
    .where('runner_id', '=', report.runnerId)
    .execute()
}
