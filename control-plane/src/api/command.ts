import type { DatabaseTransaction } from '../database/connection.ts'
import type { Caller } from './caller.ts'
import type { Services } from './services.ts'

/** Who calls the command, and the version that the change is based on. */
export interface CommandContext {
  services: Services
  caller: Caller
  /** The specVersion in `If-Match`, or null. */
  expectedVersion: number | null
  /** Aborts when the caller has disconnected. */
  signal: AbortSignal
}

/** One change of a kind. Native routes, `apply` and dialects change resources through commands only. */
export interface Command<Input, Outcome, Prepared = unknown> {
  /** Calls external services, before and outside the transaction. */
  prepare?(context: CommandContext, input: Input): Promise<Prepared>
  /** Makes the change. It is run again after a deadlock, so it must have no effect outside the transaction. */
  run(tx: DatabaseTransaction, context: CommandContext, input: Input, prepared: Prepared): Promise<Outcome>
  /** Effects after the commit; not called for a repeated request, which gets the first answer. */
  afterCommit?(context: CommandContext, outcome: Outcome): Promise<void>
  /** Effects after a failure, such as counting it in a metric. */
  afterFailure?(context: CommandContext, error: unknown): void
}

/** Does the work in a transaction; `isRepeat` when an earlier request with the same idempotency key did it. */
export type Transacted<Answer> = (
  work: (tx: DatabaseTransaction) => Promise<Answer>,
) => Promise<{ answer: Answer; isRepeat: boolean }>

/** Calls `prepare`, then `run` in a transaction, then `afterCommit` or `afterFailure`. */
export async function performCommand<Input, Outcome, Answer>(
  command: Command<Input, Outcome>,
  context: CommandContext,
  input: Input,
  inTransaction: Transacted<Answer>,
  toAnswer: (outcome: Outcome, tx: DatabaseTransaction) => Answer | Promise<Answer>,
): Promise<Answer> {
  try {
    const prepared = await command.prepare?.(context, input)
    let outcome: Outcome | undefined
    const { answer, isRepeat } = await inTransaction(async (tx) => {
      outcome = await command.run(tx, context, input, prepared)
      return await toAnswer(outcome, tx)
    })
    if (!isRepeat) await command.afterCommit?.(context, outcome as Outcome)
    return answer
  } catch (error) {
    command.afterFailure?.(context, error)
    throw error
  }
}
