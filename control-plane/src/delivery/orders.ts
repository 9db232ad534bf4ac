import type { OrderEnvelope } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Selectable } from 'kysely'
import type { OutboxTable } from '../database/outbox-table.ts'
import type { WorkKind } from '../work/work-kind.ts'
import { carryInOrder } from './in-order.ts'
import { partsOf } from './parts.ts'
import type { PublisherOptions, Round } from './publisher-options.ts'

type OrderOptions = Pick<PublisherOptions, 'messaging' | 'encryption' | 'workKinds' | 'metrics' | 'log'>

/**
 * Publishes the waiting orders with their resources' present content, and purges orders that no runner should carry out
 * any more. Returns how many outbox rows are done. A row that fails, or is of a kind that only a newer version knows,
 * stays in the outbox and blocks no other.
 */
export async function publishOrders(
  { tx, most, isOver }: Round,
  { messaging, encryption, workKinds, metrics, log }: OrderOptions,
): Promise<number> {
  const kinds = workKinds.map(({ messages }) => messages.kind)
  const rows = await tx
    .selectFrom('outbox')
    .selectAll()
    .where('kind', 'in', kinds)
    .orderBy('id')
    .limit(most)
    .execute()
  if (rows.length === 0) return 0
  const newest = [...new Map(rows.map((row) => [addressOf(row), row])).values()]
  // A retry would fail for ever and block other orders. The runner's next synchronisation includes the order again.
  const drop = (kind: string, id: string, error: Error) => {
    metrics.messagesSetAside.inc({ kind: 'order' })
    log.error({ err: error, kind, id }, 'dropped an order that cannot be published')
  }
  const finished = new Set<string>()
  const sizes = await eachKind(workKinds, newest, async (kind, ids) =>
    [...(await kind.orderSizes(tx, ids))].map(
      ([id, bytes]) => [`${kind.messages.kind}:${id}`, bytes] as const,
    ),
  )
  const sizeOf = (row: OutboxRow) =>
    isOrder(row) ? (sizes.get(`${row.kind}:${row.environment_id}`) ?? 0) : 0
  for (const part of partsOf(newest, sizeOf)) {
    if (isOver()) break
    const orders = await eachKind(workKinds, part, async (kind, ids) => {
      const onUnusable = (id: string, error: Error) => drop(kind.messages.kind, id, error)
      const made = await kind.currentOrders(tx, encryption, { ids }, onUnusable)
      return made.map((order) => [addressOfOrder(order), order] as const)
    })
    const { done, failures } = await carryInOrder(
      part,
      addressOf,
      async (row) => {
        if (!isOrder(row)) {
          await messaging.purgeOrder(row.runner_id, row.kind, row.environment_id)
          return
        }
        const order = orders.get(addressOf(row))
        if (order === undefined) return
        const messageId = `${order.id}:${order.runnerId}:${order.epoch}:${order.generation}:${row.id}`
        try {
          await messaging.publishOrder(order, messageId)
        } catch (error) {
          if (!(error instanceof HearthError && error.code === 'too_large')) throw error
          drop(order.kind, order.id, error)
        }
      },
      isOver,
    )
    for (const { item, error } of failures)
      log.warn({ err: error, kind: item.kind, id: item.environment_id }, 'could not publish an order')
    for (const row of done) finished.add(addressOf(row))
  }
  const ids = rows.filter((row) => finished.has(addressOf(row))).map(({ id }) => id)
  if (ids.length > 0) await tx.deleteFrom('outbox').where('id', 'in', ids).execute()
  return ids.length
}

type OutboxRow = Selectable<OutboxTable>

const isOrder = ({ topic }: OutboxRow) => topic === 'order'

/** Calls `find` once per kind with the ids of that kind's rows. */
async function eachKind<Value>(
  workKinds: readonly WorkKind[],
  rows: readonly OutboxRow[],
  find: (kind: WorkKind, ids: readonly string[]) => Promise<(readonly [string, Value])[]>,
): Promise<Map<string, Value>> {
  const found = new Map<string, Value>()
  for (const kind of workKinds) {
    const own = rows.filter((row) => isOrder(row) && row.kind === kind.messages.kind)
    if (own.length === 0) continue
    const ids = own.map(({ environment_id }) => environment_id)
    for (const [key, value] of await find(kind, ids)) found.set(key, value)
  }
  return found
}

/** The address of an order in its runner's inbox, where the newest order replaces older ones. */
function addressOf(row: Pick<OutboxRow, 'runner_id' | 'kind' | 'environment_id'>): string {
  return `${row.runner_id}:${row.kind}:${row.environment_id}`
}

function addressOfOrder({ runnerId, kind, id }: OrderEnvelope): string {
  return addressOf({ runner_id: runnerId, kind, environment_id: id })
}
