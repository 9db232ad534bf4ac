import { startOfText } from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import { UnknownWork } from './unknown-work.ts'

/** The part of a zod schema that parsing a message needs. */
export interface Schema<Value> {
  parse(value: unknown): Value
}

export function encode(value: unknown): string {
  return JSON.stringify(value)
}

/**
 * Parses JSON with a schema; throws `invalid` when it does not match, or, without parsing it, when it is larger than
 * `mostBytes`. Throws `UnknownWork` where the schema does.
 */
export function decode<Value>(
  schema: Schema<Value>,
  message: { subject: string; data: Uint8Array; string(): string },
  mostBytes = Number.POSITIVE_INFINITY,
): Value {
  if (message.data.byteLength > mostBytes) {
    throw new HearthError(
      'invalid',
      `the message on ${message.subject} has ${message.data.byteLength} bytes, over the ${mostBytes} there may be`,
    )
  }
  try {
    return schema.parse(JSON.parse(message.string()))
  } catch (thrown) {
    if (thrown instanceof UnknownWork) throw thrown
    throw new HearthError('invalid', `the message on ${message.subject} is not valid`, {
      privateDetail: startOfText(toError(thrown).message, 1_000),
      cause: thrown,
    })
  }
}

/**
 * NATS lets each runner publish to its own subjects only; the payload must then also be about that subject. Throws
 * `invalid` when the payload belongs to another subject.
 */
export function checkSubject(actual: string, expected: string): void {
  if (actual !== expected) {
    throw new HearthError('invalid', `a message for ${expected} came on ${actual}`)
  }
}
