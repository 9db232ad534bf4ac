import { type LogChunk, logChunkSchema, mostMessageBytes, streams, subjects } from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import { type Consumer, DeliverPolicy, type JsMsg } from '@nats-io/jetstream'
import type { Connection } from './connection.ts'
import { decode } from './message.ts'
import { publishPatienceMilliseconds, publishStored, runnerMessageId } from './publish.ts'

export interface ReadLogsOptions {
  /** Step key from `stepKey`; all steps when absent. */
  step?: string
  /** Id of a task or service, to read of its runs alone. */
  process?: string
  /** Only what was stored from then on. */
  since?: Date
  /** When absent, reading ends with the last chunk stored now; otherwise when the signal aborts. */
  follow: boolean
  signal: AbortSignal
}

export async function publishLog(connection: Connection, runnerId: string, chunk: LogChunk): Promise<void> {
  await publishStored(connection, subjects.log(runnerId, chunk.environmentId, chunk.step), chunk, {
    // A chunk stored twice anyway is recognised by its offset.
    messageId: runnerMessageId(runnerId),
    patienceMilliseconds: publishPatienceMilliseconds,
  })
}

/**
 * The chunks of one environment's output that its runner has sent, from the oldest stored one, in the order they were
 * stored. Chunks that other runners send under the environment's id are not read.
 */
export async function* readLogs(
  connection: Connection,
  runnerId: string,
  environmentId: string,
  { step, process, since, follow, signal }: ReadLogsOptions,
): AsyncGenerator<LogChunk, void, undefined> {
  if (signal.aborted) return
  const subject =
    process !== undefined
      ? subjects.logsOfProcess(runnerId, environmentId, process)
      : step === undefined
        ? subjects.logsOfEnvironment(runnerId, environmentId)
        : subjects.log(runnerId, environmentId, step)
  const consumer = await openConsumer(connection, subject, since)
  const isEmpty = (await consumer.info(true)).num_pending === 0
  if (isEmpty && !follow) return
  const messages = await consumer.consume({ max_messages: 256, expires: 10_000, idle_heartbeat: 1_000 })
  const stop = () => messages.stop()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    for await (const message of messages) {
      if (signal.aborted) return
      const chunk = readChunk(connection, message, environmentId)
      if (chunk !== undefined) yield chunk
      if (!follow && message.info.pending === 0) return
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await messages.close()
    // The server drops an unused consumer after five minutes; deleting it only saves that wait.
    await consumer.delete().catch(() => false)
  }
}

async function openConsumer(
  connection: Connection,
  subject: string,
  since: Date | undefined,
): Promise<Consumer> {
  const from =
    since === undefined
      ? {}
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since.toISOString() }
  try {
    return await connection.jetStream.consumers.get(streams.log, { filter_subjects: subject, ...from })
  } catch (thrown) {
    throw new HearthError('unavailable', 'the logs cannot be read at the moment', { cause: thrown })
  }
}

function readChunk(connection: Connection, message: JsMsg, environmentId: string): LogChunk | undefined {
  try {
    const chunk = decode(logChunkSchema, message, mostMessageBytes.log)
    if (chunk.environmentId !== environmentId) {
      throw new HearthError('invalid', `a piece of ${chunk.environmentId} came on ${message.subject}`)
    }
    return chunk
  } catch (thrown) {
    connection.onProblem(message.subject, toError(thrown))
    return undefined
  }
}
