import {
  create,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf'
import { createContextKey, type HandlerContext } from '@connectrpc/connect'
import type { Caller } from '../../../api/caller.ts'
import type { Command } from '../../../api/command.ts'
import { performFor } from '../../../api/perform.ts'
import type { Services } from '../../../api/services.ts'

/** What is read from, in a transaction or not. */
export type Queryable = Services['database']

/** Who calls, and what a method needs to read or change something for them. */
export interface Call {
  caller: Caller
  services: Services
  /** Where this control plane is reached by this caller, as in https://hearth.example.com. */
  origin: string
  /** The same with the dialect's own path. */
  address: string
  /** The environment whose own address was called; null elsewhere. */
  environmentId: string | null
  signal: AbortSignal
  /** Runs a command in one transaction, and answers with a message made of its outcome. */
  perform<Input, Outcome, Answer extends DescMessage>(
    command: Command<Input, Outcome>,
    input: Input,
    schema: Answer,
    reply: (outcome: Outcome, tx: Queryable) => Promised<MessageInitShape<Answer>>,
  ): Promise<MessageShape<Answer>>
}

type Promised<Value> = Value | Promise<Value>

export const callKey = createContextKey<Call | null>(null)

/** The call that a method is run for. */
export function callOf(context: HandlerContext): Call {
  const call = context.values.get(callKey)
  if (call === null) throw new Error('a method was called without its caller')
  return call
}

export function newCall(
  services: Services,
  { caller, origin, address, environmentId, signal }: Omit<Call, 'services' | 'perform'>,
  sentBytes: number,
): Call {
  const perform = performFor(services, { caller, expectedVersion: null, signal, sentBytes, key: null })
  return {
    caller,
    services,
    origin,
    address,
    environmentId,
    signal,
    async perform(command, input, schema, reply) {
      const { body } = await perform(command, input, async (outcome, tx) => ({
        status: 200,
        value: toJson(schema, create(schema, await reply(outcome, tx))),
      }))
      return fromJson(schema, JSON.parse(body) as JsonValue)
    },
  }
}
