import type { DatabaseTransaction } from '../../../database/connection.ts'
import { copyTarget } from '../../../placement/copy-target.ts'
import { wake } from '../../../reconciling/wake.ts'
import { readFleet, readWaiting } from '../../environment/index.ts'
import { readHolders } from '../queries.ts'
import type { HolderRow, SnapshotRow } from '../table.ts'
import { addCopy } from './add.ts'
import { isCopy } from './look.ts'

/** Most copies of one snapshot on their way at once. */
const mostCopies = 4

/** Has a ready snapshot copied to runners where something waits for it. True when there are any. */
export async function addWantedCopies(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  now: Date,
): Promise<boolean> {
  if (row.phase !== 'ready' || row.desired_phase !== 'ready') return false
  const runnerIds = await wantedCopies(tx, row, await readHolders(tx, [row.id]), now)
  for (const runnerId of runnerIds) await addCopy(tx, row, runnerId, false)
  // Machines that wait are told that it comes.
  if (runnerIds.length > 0) await wake(tx, 'placement', row.organization_id)
  return runnerIds.length > 0
}

/** Runners that are to hold the snapshot, and do not yet. */
async function wantedCopies(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  holders: readonly HolderRow[],
  now: Date,
): Promise<string[]> {
  const held = new Set(holders.map(({ runner_id }) => runner_id))
  const below = (await copiesAbove(tx, row)).filter((id) => !held.has(id))
  const coming = holders.filter(
    (holder) => isCopy(holder) && !holder.source.isGivenUp && holder.phase !== 'present',
  )
  const places = mostCopies - coming.length
  // What is on its way may be room enough.
  const targets = coming.length > 0 ? [] : await targetsOfWaiting(tx, row, held, now)
  return [...new Set([...below, ...targets.slice(0, Math.max(0, places))])]
}

/** Runners that are to have a copy of a snapshot that stands on this one. */
async function copiesAbove(tx: DatabaseTransaction, { id }: SnapshotRow): Promise<string[]> {
  const rows = await tx
    .selectFrom('snapshot_holders')
    .innerJoin('snapshots', 'snapshots.id', 'snapshot_holders.snapshot_id')
    .select(['runner_id', 'source'])
    .where('parent_id', '=', id)
    .where('snapshots.phase', '=', 'ready')
    .where('snapshots.desired_phase', '=', 'ready')
    .where('snapshot_holders.phase', '=', 'pending')
    .execute()
  return rows.flatMap(({ runner_id, source }) =>
    source.kind === 'runner' && source.grantId === null ? [runner_id] : [],
  )
}

/** Runners with room for machines that start from the snapshot, where no runner that has it has room for them. */
async function targetsOfWaiting(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  held: ReadonlySet<string>,
  now: Date,
): Promise<string[]> {
  const { line: waiting } = await readWaiting(tx, row.organization_id, row.id)
  if (waiting.length === 0) return []
  const fleet = await readFleet(tx, row.organization_id, now)
  const targets = new Set<string>()
  for (const { wanted, source } of waiting) {
    // Some are for one runner only.
    const runners = fleet.filter(({ id }) => source?.runnerId === undefined || id === source.runnerId)
    const target = copyTarget(wanted, runners, held)
    if (target !== null) targets.add(target)
  }
  return [...targets]
}
