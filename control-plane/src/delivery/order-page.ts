import type { OrderEnvelope } from '@hearth/contract'
import type { Queryable } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { WorkKind } from '../work/work-kind.ts'

/** Orders read in one query; a page holds at most this many orders in memory beyond its bytes. */
const readAtOnce = 8

/**
 * A page of a runner's desired orders of one kind, by id and after a given id, of at most `mostBytes` of JSON. An order
 * that is larger alone fits into no message: it is reported and left out, so that the others arrive.
 */
export async function orderPage(
  queryable: Queryable,
  encryption: Encryption,
  kind: WorkKind,
  wanted: { runnerId: string; ids: readonly string[]; after: string | null; mostBytes: number },
  onUnusable: (id: string, error: Error) => void,
): Promise<{ orders: OrderEnvelope[]; next: string | null }> {
  const { runnerId, after, mostBytes } = wanted
  const ids = wanted.ids.filter((id) => after === null || id > after).sort()
  const orders: OrderEnvelope[] = []
  let bytes = 0
  let last = after
  for (let start = 0; start < ids.length; start += readAtOnce) {
    const part = ids.slice(start, start + readAtOnce)
    const found = await kind.currentOrders(queryable, encryption, { ids: part }, onUnusable)
    // Others have orders for the same, or it was moved to another runner meanwhile.
    const own = found.filter((order) => order.runnerId === runnerId)
    const byId = new Map(own.map((order) => [order.id, order]))
    for (const id of part) {
      const order = byId.get(id)
      const size = order === undefined ? 0 : Buffer.byteLength(JSON.stringify(order))
      if (size > mostBytes) {
        onUnusable(id, new Error(`its order has ${size} bytes, over the ${mostBytes} of a message`))
      } else if (order !== undefined) {
        if (bytes + size > mostBytes) return { orders, next: last }
        orders.push(order)
        bytes += size
      }
      last = id
    }
  }
  return { orders, next: null }
}
