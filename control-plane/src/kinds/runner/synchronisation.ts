import { kindsOfSync, type RefusedSync, type SyncRequest } from '@hearth/contract'
import { sql } from 'kysely'
import type { Database } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { wake, wakeAll } from '../../reconciling/wake.ts'
import { snapshotIdsOn } from './queries.ts'

/** Why an agent's synchronisation is refused: the runner is deleted, or another agent has registered for it. */
export async function refuseSync(
  database: Database,
  { runnerId, epoch }: Pick<SyncRequest, 'runnerId' | 'epoch'>,
): Promise<RefusedSync | null> {
  const runner = await database
    .selectFrom('runners')
    .select(['epoch', 'phase'])
    .where('id', '=', runnerId)
    .executeTakeFirst()
  if (runner === undefined || runner.phase === 'deleted')
    return { accepted: false, reason: 'unknown_runner', currentEpoch: 0 }
  if (epoch < runner.epoch) return { accepted: false, reason: 'superseded', currentEpoch: runner.epoch }
  return null
}

/** Stores the kinds of work that an agent knows, so that what it cannot do is placed elsewhere, or fails with that cause. */
export async function noteWorkKinds(
  database: Database,
  request: Pick<SyncRequest, 'runnerId' | 'kinds'>,
): Promise<void> {
  const { runnerId } = request
  const kinds = JSON.stringify([...kindsOfSync(request)].sort())
  await transact(database, async (tx) => {
    const changed = await tx
      .updateTable('runners')
      .set({ work_kinds: kinds })
      .where('id', '=', runnerId)
      .where(sql<boolean>`work_kinds IS DISTINCT FROM ${kinds}::jsonb`)
      .returning('organization_id')
      .executeTakeFirst()
    if (changed === undefined) return
    await wakeAll(tx, 'snapshot', await snapshotIdsOn(tx, runnerId))
    await wake(tx, 'placement', changed.organization_id)
  })
}
