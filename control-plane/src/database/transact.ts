import { setTimeout as delay } from 'node:timers/promises'
import type { Database, DatabaseTransaction } from './connection.ts'
import { hasSqlState } from './sql-state.ts'

const mostAttempts = 6
/** SQLSTATEs of a deadlock and a serialization failure: the transaction was rolled back. */
const transientStates = ['40P01', '40001']

/**
 * Runs the work in a transaction, and again when PostgreSQL chose it to break a deadlock. The work must do nothing
 * outside the transaction.
 */
export async function transact<Result>(
  database: Database,
  work: (tx: DatabaseTransaction) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction().execute(work)
    } catch (error) {
      if (attempt >= mostAttempts || !hasSqlState(error, transientStates)) throw error
      await delay(Math.random() * 10 * 2 ** attempt)
    }
  }
}
