import type { SyncReply, SyncRequest } from '@hearth/contract'
import type { Logger } from 'pino'
import type { Database } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { currentOrders, orderPage, wantedEnvironments } from '../environment/index.ts'

interface Synchronizing {
  database: Database
  encryption: Encryption
  log: Logger
}

/**
 * Answers an agent's inventory with its desired set, and what of the inventory nobody wants. The set comes in pages of
 * `mostBytes` to an agent that asks for pages.
 */
export async function synchronize(
  { database, encryption, log }: Synchronizing,
  request: SyncRequest,
  mostBytes: number,
): Promise<SyncReply> {
  const { runnerId, after } = request
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
  const wanted = await wantedEnvironments(database, runnerId)
  const unwanted = request.inventory.map(({ environmentId }) => environmentId).filter((id) => !wanted.has(id))
  const onUnusable = (environmentId: string, error: Error) =>
    log.warn({ environmentId, runnerId, err: error }, 'left an order out of a synchronisation')
  if (after === undefined) {
    const orders = await currentOrders(database, encryption, { runnerId }, onUnusable)
    return { accepted: true, orders, unwanted }
  }
  const page = await orderPage(database, encryption, { runnerId, after, mostBytes }, onUnusable)
  return { accepted: true, ...page, unwanted }
}
