import type { DatabaseTransaction } from '../../../database/connection.ts'
import { readHolders } from '../queries.ts'
import type { CopySource, SnapshotRow } from '../table.ts'
import { isCopy } from './look.ts'

const unbegun: CopySource = {
  ...{ kind: 'runner', runnerId: null, address: null, grantId: null, endsAt: null },
  ...{ triedRunnerIds: [], isGivenUp: false },
}

/** Adds a runner to those that are to have it, or begins anew with one that was given up. */
export async function addCopy(
  tx: DatabaseTransaction,
  row: SnapshotRow,
  runnerId: string,
  again: boolean,
): Promise<void> {
  const held = (await readHolders(tx, [row.id])).find(({ runner_id }) => runner_id === runnerId)
  const copy = {
    snapshot_id: row.id,
    runner_id: runnerId,
    organization_id: row.organization_id,
    phase: 'pending' as const,
    source: JSON.stringify(unbegun),
  }
  if (held === undefined) await tx.insertInto('snapshot_holders').values(copy).execute()
  else if (again && isCopy(held) && held.source.isGivenUp)
    await tx
      .updateTable('snapshot_holders')
      .set({ phase: 'pending', source: copy.source, failure: null, progress: null })
      .where('snapshot_id', '=', row.id)
      .where('runner_id', '=', runnerId)
      .execute()
}
