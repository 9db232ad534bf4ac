import { routeWork } from '@hearth/contract'
import type { Database } from '../../database/connection.ts'
import { requestOrders } from '../../database/outbox.ts'
import { transact } from '../../database/transact.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import { environmentsThatWait, forgetEntries, routesToClose } from './queries.ts'

/** Has the runners of routes refuse those who entered with a token that has ended. */
export async function closeToEndedTokens(database: Database): Promise<void> {
  const routes = await routesToClose(database)
  if (routes.length > 0) await transact(database, (tx) => requestOrders(tx, routeWork.kind, routes))
}

/** Has those look again that wait for what says nothing when it is there: a runner that serves routes, a free name. */
export async function lookAgain(database: Database): Promise<void> {
  await wakeAll(database, 'route', await environmentsThatWait(database))
  await forgetEntries(database)
}
