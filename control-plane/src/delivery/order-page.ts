import type { OrderEnvelope } from '@hearth/contract'
import type { Queryable } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { WorkKind } from '../work/work-kind.ts'

/** Read from the database at once: what a page holds in memory beyond its bytes is less than so many orders. */
const readAtOnce = 8

/**
 * The orders of what a runner is to have of a kind, after one of them, by id, until they have `mostBytes` of JSON. An
 * order that has more alone goes into no message: it is left out and told, so that the others get theirs.
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
    const byId = new Map(found.map((order) => [order.id, order]))
    for (const id of part) {
      const order = byId.get(id)
      // Another runner's by now: it is no business of this one.
      const isOwn = order !== undefined && order.runnerId === runnerId
      const size = isOwn ? Buffer.byteLength(JSON.stringify(order)) : 0
      if (size > mostBytes) {
        onUnusable(id, new Error(`its order has ${size} bytes, over the ${mostBytes} of a message`))
      } else if (isOwn) {
        if (bytes + size > mostBytes) return { orders, next: last }
        orders.push(order)
        bytes += size
      }
      last = id
    }
  }
  return { orders, next: null }
}
