import type { EnvironmentOrder } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { currentOrders } from './order.ts'

/** Read from the database at once: what a page holds in memory beyond its bytes is less than so many orders. */
const readAtOnce = 8

/** What a runner is to have, by id: also what no order can be made for. */
export async function wantedEnvironments(queryable: Queryable, runnerId: string): Promise<Set<string>> {
  const rows = await queryable
    .selectFrom('environments')
    .select('id')
    .where('runner_id', '=', runnerId)
    .where('phase', '<>', 'deleted')
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/**
 * The orders of a runner's environments after one of them, by id, until they have `mostBytes` of JSON. An order that has
 * more alone goes into no message: it is left out and told, so that the others get theirs.
 */
export async function orderPage(
  queryable: Queryable,
  encryption: Encryption,
  wanted: { runnerId: string; after: string | null; mostBytes: number },
  onUnusable: (environmentId: string, error: Error) => void,
): Promise<{ orders: EnvironmentOrder[]; next: string | null }> {
  const { runnerId, mostBytes } = wanted
  const orders: EnvironmentOrder[] = []
  let bytes = 0
  for (let after = wanted.after; ; ) {
    const ids = await nextIds(queryable, runnerId, after)
    const found = await currentOrders(queryable, encryption, { environmentIds: ids }, onUnusable)
    const byId = new Map(found.map((order) => [order.id, order]))
    for (const id of ids) {
      const order = byId.get(id)
      // Another runner's by now: it is no business of this one.
      if (order === undefined || order.runnerId !== runnerId) {
        after = id
        continue
      }
      const size = Buffer.byteLength(JSON.stringify(order))
      if (size > mostBytes) {
        onUnusable(id, new Error(`its order has ${size} bytes, over the ${mostBytes} of a message`))
        after = id
        continue
      }
      if (bytes + size > mostBytes) return { orders, next: after }
      orders.push(order)
      bytes += size
      after = id
    }
    if (ids.length < readAtOnce) return { orders, next: null }
  }
}

async function nextIds(queryable: Queryable, runnerId: string, after: string | null): Promise<string[]> {
  let query = queryable
    .selectFrom('environments')
    .select('id')
    .where('runner_id', '=', runnerId)
    .where('phase', '<>', 'deleted')
    .orderBy('id')
    .limit(readAtOnce)
  if (after !== null) query = query.where('id', '>', after)
  return (await query.execute()).map(({ id }) => id)
}
