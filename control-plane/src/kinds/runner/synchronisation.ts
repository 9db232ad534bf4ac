import type { RefusedSync, SyncRequest } from '@hearth/contract'
import type { Database } from '../../database/connection.ts'

/** Why an agent is told nothing of its work: the runner is gone, or another agent has it by now. */
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
