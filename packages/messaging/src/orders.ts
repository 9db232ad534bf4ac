import {
  type EnvironmentOrder,
  environmentOrderSchema,
  streams,
  subjects,
  workConsumer,
} from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { JsMsg } from '@nats-io/jetstream'
import type { Connection } from './connection.ts'
import { checkSubject, decode } from './message.ts'
import { publishPatienceMilliseconds, publishStored } from './publish.ts'
import { pull } from './pull.ts'

const retryMilliseconds = 1_000

/** Replaces any older order of the same environment that still waits. */
export function publishOrder(
  connection: Connection,
  order: EnvironmentOrder,
  messageId: string,
): Promise<void> {
  return publishStored(connection, orderSubject(order), order, {
    messageId,
    patienceMilliseconds: publishPatienceMilliseconds,
  })
}

export async function purgeOrder(
  connection: Connection,
  runnerId: string,
  kind: string,
  id: string,
): Promise<void> {
  const manager = await connection.jetStreamManager()
  await manager.streams.purge(streams.work, { filter: subjects.work(runnerId, kind, id) })
}

/** Gives a runner its orders one at a time until the signal aborts; one that was not handled comes again. */
export function consumeOrders(
  connection: Connection,
  runnerId: string,
  handle: (order: EnvironmentOrder) => Promise<void>,
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

function readOrder(connection: Connection, runnerId: string, message: JsMsg): EnvironmentOrder | undefined {
  try {
    const order = decode(environmentOrderSchema, message)
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

function orderSubject(order: EnvironmentOrder): string {
  return subjects.work(order.runnerId, order.kind, order.id)
}
