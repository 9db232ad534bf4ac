import { HearthError } from '@hearth/foundation'
import type { Selectable } from 'kysely'
import type { OutboxTable } from '../database/outbox-table.ts'
import { currentOrders, orderSizes } from '../kinds/environment/index.ts'
import { carryInOrder } from './in-order.ts'
import { partsOf } from './parts.ts'
import type { PublisherOptions, Round } from './publisher-options.ts'

/**
 * Publishes the orders that wait, as what they order is by now, and takes out those that nobody is to follow any more.
 * Returns how many rows of the outbox it is done with; one that fails stays there and holds up no other.
 */
export async function publishOrders(
  { tx, most, isOver }: Round,
  {
    messaging,
    encryption,
    metrics,
    log,
  }: Pick<PublisherOptions, 'messaging' | 'encryption' | 'metrics' | 'log'>,
): Promise<number> {
  const rows = await tx.selectFrom('outbox').selectAll().orderBy('id').limit(most).execute()
  if (rows.length === 0) return 0
  const newest = [...new Map(rows.map((row) => [addressOf(row), row])).values()]
  // It would fail for ever, and others wait behind it: the runner's own synchronisation tells of it again.
  const setAside = (environmentId: string, error: Error) => {
    metrics.messagesSetAside.inc({ kind: 'order' })
    log.error({ err: error, environmentId }, 'set an order aside that cannot be published')
  }
  const finished = new Set<string>()
  const sizes = await orderSizes(tx, orderedIds(newest))
  for (const part of partsOf(newest, (row) => (isOrder(row) ? (sizes.get(row.environment_id) ?? 0) : 0))) {
    if (isOver()) break
    const orders = new Map(
      (await currentOrders(tx, encryption, { environmentIds: orderedIds(part) }, setAside)).map((order) => [
        addressOf({ runner_id: order.runnerId, environment_id: order.id }),
        order,
      ]),
    )
    const { done, failures } = await carryInOrder(
      part,
      addressOf,
      async (row) => {
        if (!isOrder(row)) {
          await messaging.purgeOrder(row.runner_id, 'environment', row.environment_id)
          return
        }
        const order = orders.get(addressOf(row))
        if (order === undefined) return
        const messageId = `${order.id}:${order.runnerId}:${order.epoch}:${order.generation}:${row.id}`
        try {
          await messaging.publishOrder(order, messageId)
        } catch (error) {
          if (!(error instanceof HearthError && error.code === 'too_large')) throw error
          setAside(order.id, error)
        }
      },
      isOver,
    )
    for (const { item, error } of failures)
      log.warn({ err: error, environmentId: item.environment_id }, 'could not publish an order')
    for (const row of done) finished.add(addressOf(row))
  }
  const ids = rows.filter((row) => finished.has(addressOf(row))).map(({ id }) => id)
  if (ids.length > 0) await tx.deleteFrom('outbox').where('id', 'in', ids).execute()
  return ids.length
}

type OutboxRow = Selectable<OutboxTable>

const isOrder = ({ topic }: OutboxRow) => topic === 'order'

const orderedIds = (rows: readonly OutboxRow[]) =>
  rows.filter(isOrder).map(({ environment_id }) => environment_id)

/** Where an order waits for its runner: what is newest there replaces what is older. */
function addressOf(row: Pick<OutboxRow, 'runner_id' | 'environment_id'>): string {
  return `${row.runner_id}:${row.environment_id}`
}
