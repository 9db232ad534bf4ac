import type { DatabaseTransaction, Queryable } from '../../../database/connection.ts'
import { unableFailure } from '../decide.ts'
import { readHolders } from '../queries.ts'
import { type CopySource, type HolderRow, isSilent, isUnable, type SnapshotRow } from '../table.ts'
import type { SeenBase, SeenCopy, SeenOrigin } from './decide-copy.ts'

/** A holder whose layer is a copy. */
export type CopyRow = HolderRow & { source: CopySource }
export const isCopy = (holder: HolderRow): holder is CopyRow => holder.source.kind === 'runner'

/** The runners that have the layer, those that made it first. */
export function originsIn(holders: readonly HolderRow[]): SeenOrigin[] {
  return holders
    .filter(({ phase }) => phase === 'present')
    .sort((one, other) => Number(isCopy(one)) - Number(isCopy(other)))
    .map((holder) => ({
      runnerId: holder.runner_id,
      runner: holder.runner_name,
      silent: isSilent(holder),
      address: holder.layer_address,
      isFlat: holder.is_flat,
      isRead: holders.some((copy) => isReadBy(copy, holder.runner_id)),
      flattening: holder.flattening,
    }))
}

function isReadBy({ source, phase }: HolderRow, runnerId: string): boolean {
  const isMoving = phase === 'pending' || phase === 'copying'
  return isMoving && source.kind === 'runner' && source.grantId !== null && source.runnerId === runnerId
}

/** The copies of a snapshot that are not there yet, with the layers that they are to stand on. */
export async function lookAtCopies(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  holders: readonly HolderRow[],
): Promise<SeenCopy[]> {
  const copies = holders.filter(isCopy).filter(({ phase }) => phase !== 'present' && phase !== 'deleting')
  if (copies.length === 0) return []
  const baseOn = await readBase(tx, row)
  return copies.map((copy) => ({
    runnerId: copy.runner_id,
    runner: copy.runner_name,
    phase: copy.phase,
    failure: copy.failure,
    source: copy.source,
    from: copy.copied_from,
    base: baseOn(copy.runner_id),
    unable: isUnable(copy) ? unableFailure(copy.runner_name, copy.agent_version) : null,
  }))
}

/** What is known of the layer below, by runner. */
async function readBase(queryable: Queryable, row: SnapshotRow): Promise<(runnerId: string) => SeenBase> {
  const parent =
    row.parent_id === null
      ? undefined
      : await queryable
          .selectFrom('snapshots')
          .select(['id', 'name', 'phase', 'desired_phase'])
          .where('id', '=', row.parent_id)
          .executeTakeFirst()
  // Nothing stands on the layer of a deleted snapshot, on no runner.
  if (parent === undefined || parent.phase === 'deleted') return () => ({ state: 'here' })
  const holders = await readHolders(queryable, [parent.id])
  const isKept = parent.phase === 'ready' && parent.desired_phase === 'ready'
  const state = parent.desired_phase === 'deleted' ? 'being deleted' : parent.phase
  return (runnerId) => {
    const holder = holders.find(({ runner_id }) => runner_id === runnerId)
    // What is on its way out may be gone before the copy has come.
    if (!isKept) return { state: 'going', because: `it stands on snapshot ${parent.name}, which is ${state}` }
    if (holder?.phase === 'present') return { state: 'here' }
    if (holder === undefined) return { state: 'absent' }
    if (!isCopy(holder) || !holder.source.isGivenUp) return { state: 'coming' }
    const { code, message } = holder.failure ?? { code: 'internal', message: 'no cause was reported' }
    const failed = `snapshot ${parent.name}, on which it stands, could not be copied: ${message}`
    return { state: 'failed', failure: { code, message: failed } }
  }
}
