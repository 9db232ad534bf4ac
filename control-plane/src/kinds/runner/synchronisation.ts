import type { RefusedSync, SyncRequest } from '@hearth/contract'
import type { Database } from '../../database/connection.ts'

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
