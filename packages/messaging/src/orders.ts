import { type OrderEnvelope, streams, subjects, type WorkOrder, workConsumer } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import { JetStreamApiError, type JsMsg } from '@nats-io/jetstream'
import type { Connection } from './connection.ts'
import { checkSubject, decode } from './message.ts'
import { publishPatienceMilliseconds, publishStored } from './publish.ts'
import { pull } from './pull.ts'

const retryMilliseconds = 1_000

/** Replaces an older waiting order for the same resource. */
export async function publishOrder(
  connection: Connection,
  order: OrderEnvelope,
  messageId: string,
): Promise<void> {
  await publishStored(connection, orderSubject(order), order, {
    messageId,
    patienceMilliseconds: publishPatienceMilliseconds,
  })
}

/**
 * Removes a waiting order from the stream; safe to repeat. Deletes it by its sequence instead of purging its subject:
 * NATS servers 2.9 then make the runner's consumer skip all its other orders too.
 */
export async function purgeOrder(
  connection: Connection,
  runnerId: string,
  kind: string,
  id: string,
): Promise<void> {
  const manager = await connection.jetStreamManager()
  const last = await manager.streams.getMessage(streams.work, {
    last_by_subj: subjects.work(runnerId, kind, id),
  })
  if (last === null) return
  try {
    await manager.streams.deleteMessage(streams.work, last.seq, false)
  } catch (thrown) {
    // The order was replaced or deleted in the meantime; a newer order stays.
    if (!(thrown instanceof JetStreamApiError)) throw thrown
  }
}

/**
 * Passes a runner its orders one at a time until the signal aborts; an order that was not handled is delivered again.
 */
export function consumeOrders(
  connection: Connection,
  runnerId: string,
  handle: (order: WorkOrder) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const options = { stream: streams.work, consumer: workConsumer(runnerId), buffered: 100, signal }
  return pull(connection, options, async (message) => {
    const order = readOrder(connection, runnerId, message)
    if (order === undefined) return
    try {
      await handle(order)
      message.ack()
    } catch (thrown) {
      connection.onProblem(message.subject, toError(thrown))
      message.nak(retryMilliseconds)
    }
  })
}

function readOrder(connection: Connection, runnerId: string, message: JsMsg): WorkOrder | undefined {
  try {
    const order = decode(connection.work.order, message)
    checkSubject(message.subject, orderSubject({ ...order, runnerId }))
    checkSubject(message.subject, orderSubject(order))
    return order
  } catch (thrown) {
    connection.onProblem(message.subject, toError(thrown))
    // Without a reason: servers before 2.10.4 ignore a termination that carries one.
    message.term()
    return undefined
  }
}

function orderSubject(order: OrderEnvelope): string {
  return subjects.work(order.runnerId, order.kind, order.id)
}
