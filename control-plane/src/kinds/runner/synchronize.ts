import type { SyncReply, SyncRequest } from '@hearth/contract'
import type { Database } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { currentOrders } from '../environment/index.ts'

/** Answers an agent's inventory with its full desired set, and what of the inventory nobody wants. */
export async function synchronize(
  database: Database,
  encryption: Encryption,
  request: SyncRequest,
): Promise<SyncReply> {
  const runner = await database
    .selectFrom('runners')
    .select(['epoch', 'phase'])
    .where('id', '=', request.runnerId)
    .executeTakeFirst()
  if (runner === undefined || runner.phase === 'deleted') {
    return { accepted: false, reason: 'unknown_runner', currentEpoch: 0 }
  }
  if (request.epoch < runner.epoch)
    return { accepted: false, reason: 'superseded', currentEpoch: runner.epoch }
  const orders = await currentOrders(database, encryption, { runnerId: request.runnerId })
  const wanted = new Set(orders.map(({ id }) => id))
  const unwanted = request.inventory.map(({ environmentId }) => environmentId).filter((id) => !wanted.has(id))
  return { accepted: true, orders, unwanted }
}
