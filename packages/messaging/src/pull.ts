import { backoff, toError } from '@hearth/foundation'
import type { ConsumerInfo, JsMsg } from '@nats-io/jetstream'
import type { Connection } from './connection.ts'
import { delay } from './delay.ts'

interface PullOptions {
  stream: string
  consumer: string
  /** Maximum number of messages buffered in this process. */
  buffered: number
  signal: AbortSignal
}

/**
 * Pulls from a durable consumer until the signal aborts or the connection is closed; survives every loss of
 * connection, and waits for a consumer that does not exist yet. Messages received but not passed to `each` are
 * returned at once.
 */
export async function pull(
  connection: Connection,
  options: PullOptions,
  each: (message: JsMsg) => Promise<void>,
): Promise<void> {
  for (let attempt = 0; !options.signal.aborted && !connection.nats.isClosed(); attempt += 1) {
    try {
      await pullOnce(connection, options, each)
    } catch (thrown) {
      connection.onProblem(`${options.stream} ${options.consumer}`, toError(thrown))
    }
    if (!options.signal.aborted)
      await delay(backoff(attempt, { first: 250, most: connection.timings.retryMost }), options.signal)
  }
}

async function pullOnce(
  connection: Connection,
  { stream, consumer, buffered, signal }: PullOptions,
  each: (message: JsMsg) => Promise<void>,
): Promise<void> {
  // Uses `bind` and a constructed info, because a runner may only request its next messages from JetStream.
  const info = { stream_name: stream, name: consumer, config: { durable_name: consumer } } as ConsumerInfo
  const messages = await connection.jetStream.consumers.getConsumerFromInfo(info).consume({
    bind: true,
    max_messages: buffered,
    expires: 10_000,
    idle_heartbeat: connection.timings.pullHeartbeat,
  })
  const stop = () => messages.stop()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    for await (const message of messages) {
      if (signal.aborted) message.nak()
      else await each(message)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await messages.close()
  }
}
