import { randomUUID } from 'node:crypto'
import { backoff, HearthError, toError } from '@hearth/foundation'
import { errors } from '@nats-io/transport-node'
import type { Connection } from './connection.ts'
import { delay } from './delay.ts'
import { encode } from './message.ts'

/** JetStream's acknowledgement of a message. */
export interface Stored {
  /** Sequence of the message in the stream. */
  sequence: number
  /** Whether the message was already stored under the same message id. */
  duplicate: boolean
}

/** Time limit in milliseconds of a publish that may fail. */
export const publishPatienceMilliseconds = 30_000

/**
 * A message id for one publish and its retries. It is random, because whoever may publish to a stream may choose any
 * id: a predictable one would allow another runner's message to be discarded as a duplicate.
 */
export const runnerMessageId = (runnerId: string) => `${runnerId}.${randomUUID()}`

/**
 * Resolves once JetStream has stored the message. Retries with the same message id, so that a lost acknowledgement
 * does not store it twice. Throws `forbidden` when the server refuses the subject, `too_large` when it refuses the
 * size, and `unavailable` after `patienceMilliseconds` or once the connection is closed.
 */
export async function publishStored(
  connection: Connection,
  subject: string,
  value: unknown,
  options: {
    messageId: string
    patienceMilliseconds: number
    /** Called before each attempt; an error that it throws ends the attempts. */
    before?: () => Promise<void>
  },
): Promise<Stored> {
  const payload = new TextEncoder().encode(encode(value))
  const largest = connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY
  if (payload.length > largest) {
    throw new HearthError('too_large', `a message of ${payload.length} bytes is over the server's ${largest}`)
  }
  const start = performance.now()
  for (let attempt = 0; ; attempt += 1) {
    const left = options.patienceMilliseconds - (performance.now() - start)
    await connection.whenConnected(Math.max(0, Math.min(left, 2 ** 31 - 1)))
    await options.before?.()
    try {
      const { seq, duplicate } = await connection.jetStream.publish(subject, payload, {
        msgID: options.messageId,
        timeout: connection.timings.stored,
      })
      return { sequence: seq, duplicate }
    } catch (thrown) {
      if (causedByDenial(thrown)) {
        throw new HearthError('forbidden', `NATS does not let this user publish on ${subject}`, {
          cause: thrown,
        })
      }
      if (performance.now() - start > options.patienceMilliseconds) {
        throw new HearthError('unavailable', `JetStream did not store a message on ${subject}`, {
          cause: thrown,
        })
      }
      if (attempt > 0) connection.onProblem(subject, toError(thrown))
      await delay(backoff(attempt, { first: 100, most: connection.timings.retryMost }))
    }
  }
}

export function causedByDenial(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof errors.PermissionViolationError) return true
  }
  return false
}
