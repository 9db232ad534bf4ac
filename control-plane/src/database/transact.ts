import { setTimeout as delay } from 'node:timers/promises'
import type { Database, DatabaseTransaction } from './connection.ts'
import { hasSqlState, isStalePlan } from './sql-state.ts'
import { runTransaction } from './transaction.ts'

const mostAttempts = 6
/** SQLSTATEs of a deadlock and a serialization failure: the transaction was rolled back. */
const transientStates = ['40P01', '40001']

/**
 * Runs the work in a transaction, and again when PostgreSQL chose it to break a deadlock or has to plan a
 * statement anew. The work must do nothing
 * outside the transaction.
 */
export async function transact<Result>(
  database: Database,
  work: (tx: DatabaseTransaction) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runTransaction(database, work)
    } catch (error) {
      const isTransient = hasSqlState(error, transientStates) || isStalePlan(error)
      if (attempt >= mostAttempts || !isTransient) throw error
      await delay(Math.random() * 10 * 2 ** attempt)
    }
  }
}
