import { streams, subjects, workConsumer } from '@hearth/contract'
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import type { Connection } from './connection.ts'
import { manage } from './manage.ts'
import { isNotFound } from './streams.ts'

/** Time limit in milliseconds, shorter than the time that a request of an agent or a person waits for its answer. */
const patienceMilliseconds = 10_000

/** Creates the runner's consumer, because its own credentials may not create one. Safe to repeat. */
export async function ensureRunner(connection: Connection, runnerId: string): Promise<void> {
  const manager = await connection.jetStreamManager()
  await manager.consumers.add(streams.work, {
    durable_name: workConsumer(runnerId),
    filter_subject: subjects.workOfRunner(runnerId),
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(connection.timings.orderTaken),
    max_deliver: -1,
    max_ack_pending: 1_000,
  })
}

/** Removes the runner's consumer and its waiting orders. Safe to repeat. */
export async function removeRunner(connection: Connection, runnerId: string): Promise<void> {
  await manage(connection, patienceMilliseconds, async (manager) => {
    try {
      await manager.consumers.delete(streams.work, workConsumer(runnerId))
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown
    }
    await manager.streams.purge(streams.work, { filter: subjects.workOfRunner(runnerId) })
  })
}
