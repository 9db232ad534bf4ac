import type { DatabaseTransaction } from '../database/connection.ts'
import { type Answer, type IdempotentRequest, type Once, once } from '../database/idempotency-key.ts'
import { transact } from '../database/transact.ts'
import type { Caller } from './caller.ts'
import { type Command, type CommandContext, performCommand } from './command.ts'
import type { Services } from './services.ts'

export type Success = 200 | 201 | 202

/** A successful answer: the value is sent as JSON. */
export interface Reply {
  status: Success
  value: unknown
}

/** Runs a command in one transaction, and answers with its outcome. */
export type Perform = <Input, Outcome>(
  command: Command<Input, Outcome>,
  input: Input,
  reply: (outcome: Outcome, tx: DatabaseTransaction) => Reply | Promise<Reply>,
) => Promise<Answer>

/** The request that asks for a change. */
export interface ChangeRequest extends Omit<CommandContext, 'services'> {
  /** The length of its body, which counts against the rate. */
  sentBytes: number
  /** Under which repeats get the first answer; null where there is none. */
  key: IdempotentRequest | null
}

/** The way in which every interface, native or not, changes something. */
export function performFor(services: Services, request: ChangeRequest): Perform {
  const { caller, expectedVersion, signal, sentBytes, key } = request
  return (command, input, reply) => {
    const work = (run: (tx: DatabaseTransaction) => Promise<Answer>) =>
      inTurn(services, caller, sentBytes, () => transactOnce(services, key, run))
    return performCommand(
      command,
      { services, caller, expectedVersion, signal },
      input,
      work,
      async (outcome, tx) => answerOf(await reply(outcome, tx)),
    )
  }
}

export function answerOf(result: Reply | Answer): Answer {
  return 'value' in result ? { status: result.status, body: JSON.stringify(result.value) } : result
}

/**
 * Makes a change when its organization's turn comes, and counts its bytes against the rate before the next one begins.
 */
async function inTurn(
  { turns, rates }: Services,
  caller: Caller,
  sentBytes: number,
  work: () => Promise<Once>,
): Promise<Once> {
  return turns.take(caller.organizationId, async () => {
    rates.refuseOverdrawn(caller)
    const result = await work()
    rates.charge(caller, Math.max(sentBytes, result.answer.body.length))
    return result
  })
}

async function transactOnce(
  { database, encryption }: Services,
  key: IdempotentRequest | null,
  work: (tx: DatabaseTransaction) => Promise<Answer>,
): Promise<Once> {
  if (key !== null) return once(database, encryption, key, work)
  return { answer: await transact(database, work), isRepeat: false }
}
