import type { DatabaseTransaction } from '../database/connection.ts'
import type { Caller } from './caller.ts'
import type { Services } from './services.ts'

/** Who has something changed, and what it was based on. */
export interface CommandContext {
  services: Services
  caller: Caller
  /** The specVersion in `If-Match`, or null. */
  expectedVersion: number | null
  /** Aborts when the caller has left. */
  signal: AbortSignal
}

/** What changes a kind. Native routes, `apply` and dialects call commands, and nothing below them. */
export interface Command<Input, Outcome, Prepared = unknown> {
  /** Asks the world, outside the transaction. */
  prepare?(context: CommandContext, input: Input): Promise<Prepared>
  /** Makes the change. PostgreSQL may have it run again, so it does nothing outside the transaction. */
  run(tx: DatabaseTransaction, context: CommandContext, input: Input, prepared: Prepared): Promise<Outcome>
  /** What follows from the change; not called for a repeat, which gets the first answer. */
  afterCommit?(context: CommandContext, outcome: Outcome): Promise<void>
  /** What follows from a failure, such as a measure of it. */
  afterFailure?(context: CommandContext, error: unknown): void
}

/** Does the work in a transaction; `isRepeat` when an earlier request with the same key has done it. */
export type Transacted<Answer> = (
  work: (tx: DatabaseTransaction) => Promise<Answer>,
) => Promise<{ answer: Answer; isRepeat: boolean }>

/** Prepares, runs in a transaction, and does what follows. */
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
