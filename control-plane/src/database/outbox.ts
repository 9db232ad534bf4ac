import type { DatabaseTransaction } from './connection.ts'
import type { OutboxTable } from './outbox-table.ts'

export async function requestOrder(
  tx: DatabaseTransaction,
  environment: { id: string; runnerId: string },
): Promise<void> {
  await requestOrders(tx, [environment])
}

export async function requestOrders(
  tx: DatabaseTransaction,
  environments: readonly { id: string; runnerId: string }[],
): Promise<void> {
  await insert(tx, 'order', environments)
}

/** Takes the last order of an environment that is gone out of its runner's inbox. */
export async function requestPurge(
  tx: DatabaseTransaction,
  environment: { id: string; runnerId: string },
): Promise<void> {
  await requestPurges(tx, [environment])
}

export async function requestPurges(
  tx: DatabaseTransaction,
  environments: readonly { id: string; runnerId: string }[],
): Promise<void> {
  await insert(tx, 'purge', environments)
}

async function insert(
  tx: DatabaseTransaction,
  topic: OutboxTable['topic'],
  environments: readonly { id: string; runnerId: string }[],
): Promise<void> {
  if (environments.length === 0) return
  const rows = environments.map(({ id, runnerId }) => ({ topic, runner_id: runnerId, environment_id: id }))
  await tx.insertInto('outbox').values(rows).execute()
}
