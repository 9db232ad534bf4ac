import type { DatabaseTransaction } from './connection.ts'
import { writeLate } from './late-writes.ts'
import type { OutboxTable } from './outbox-table.ts'

/** Something of a kind of work, and the runner that does it. */
interface Ordered {
  id: string
  runnerId: string
}

export async function requestOrders(
  tx: DatabaseTransaction,
  kind: string,
  ordered: readonly Ordered[],
): Promise<void> {
  await insert(tx, 'order', kind, ordered)
}

/** Requests that the last orders of deleted resources be purged from their runners' inboxes. */
export async function requestPurges(
  tx: DatabaseTransaction,
  kind: string,
  ordered: readonly Ordered[],
): Promise<void> {
  await insert(tx, 'purge', kind, ordered)
}

async function insert(
  tx: DatabaseTransaction,
  topic: OutboxTable['topic'],
  kind: string,
  ordered: readonly Ordered[],
): Promise<void> {
  const orders = ordered.map(({ id, runnerId }) => ({ topic, kind, runner_id: runnerId, environment_id: id }))
  await writeLate(tx, { orders })
}
