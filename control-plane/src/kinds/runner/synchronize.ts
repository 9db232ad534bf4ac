import type { SyncReply, SyncRequest } from '@hearth/contract'
import type { Logger } from 'pino'
import type { Database } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { currentOrders, orderPage, wantedOrders } from '../environment/index.ts'

interface Synchronizing {
  database: Database
  encryption: Encryption
  log: Logger
}

/**
 * Answers an agent's inventory with its desired set, and what of the inventory nobody wants. To an agent that asks for
 * pages the set comes in pages of `mostBytes`, without the orders that it has.
 */
export async function synchronize(
  { database, encryption, log }: Synchronizing,
  request: SyncRequest,
  mostBytes: number,
): Promise<SyncReply> {
  const { runnerId, after, held = {} } = request
  const runner = await database
    .selectFrom('runners')
    .select(['epoch', 'phase'])
    .where('id', '=', runnerId)
    .executeTakeFirst()
  if (runner === undefined || runner.phase === 'deleted') {
    return { accepted: false, reason: 'unknown_runner', currentEpoch: 0 }
  }
  if (request.epoch < runner.epoch)
    return { accepted: false, reason: 'superseded', currentEpoch: runner.epoch }
  const wanted = await wantedOrders(database, runnerId)
  const unwanted = request.inventory.map(({ environmentId }) => environmentId).filter((id) => !wanted.has(id))
  const onUnusable = (environmentId: string, error: Error) =>
    log.warn({ environmentId, runnerId, err: error }, 'left an order out of a synchronisation')
  if (after === undefined) {
    const orders = await currentOrders(database, encryption, { runnerId }, onUnusable)
    return { accepted: true, orders, unwanted }
  }
  const unchanged = Object.keys(held).filter((id) => wanted.has(id) && wanted.get(id) === held[id])
  const known = new Set(unchanged)
  const environmentIds = [...wanted.keys()].filter((id) => !known.has(id))
  const missing = { runnerId, environmentIds, after, mostBytes }
  const page = await orderPage(database, encryption, missing, onUnusable)
  // Told once: the later pages are of the same synchronisation.
  return { accepted: true, ...page, unchanged: after === null ? unchanged : [], unwanted }
}
