import { Kysely, PostgresDialect, sql } from 'kysely'
import type pg from 'pg'
import type { Database, DatabaseTransaction } from './connection.ts'
import { collectLate, writeCollected } from './late-writes.ts'
import { poolOf } from './pool-of.ts'
import type { Schema } from './schema.ts'
import { hasSqlState } from './sql-state.ts'

/**
 * One attempt at a transaction. Unlike Kysely's own, it sends statements that do not wait for each other at once, in the
 * order they were begun in, and those that are collected to its end together with the commit.
 */
export async function runTransaction<Result>(
  database: Database,
  work: (tx: DatabaseTransaction) => Promise<Result>,
): Promise<Result> {
  const client = await poolOf(database).connect()
  let isBroken = false
  try {
    const { tx, errors } = await overOne(client)
    errors.length = 0
    await client.query('begin')
    collectLate(tx)
    try {
      const result = await work(tx)
      const written = writeCollected(tx)
      written.catch(() => undefined)
      // Over Kysely like those, or it would overtake them.
      const committed = sql`commit`.execute(tx)
      committed.catch(() => undefined)
      await written
      await committed
      return result
    } catch (error) {
      await client.query('rollback').catch(() => {
        isBroken = true
      })
      throw isConsequence(error) ? (errors[0] ?? error) : error
    }
  } finally {
    client.release(isBroken)
  }
}

interface OverOne {
  tx: DatabaseTransaction
  /** Why statements failed that were not refused only because another had failed, the earliest first. */
  errors: unknown[]
}

const overClients = new WeakMap<pg.PoolClient, OverOne>()

/** Kysely over this one connection, without its waiting for each statement before the next is sent. */
async function overOne(client: pg.PoolClient): Promise<OverOne> {
  const known = overClients.get(client)
  if (known !== undefined) return known
  const query = client.query.bind(client) as (text: string, values: unknown[]) => Promise<pg.QueryResult>
  const errors: unknown[] = []
  const ask = async (text: string, values: unknown[]) => {
    try {
      const answer = await query(text, values)
      return text === 'commit' ? requireCommit(answer) : answer
    } catch (error) {
      if (!isConsequence(error)) errors.push(error)
      throw error
    }
  }
  const held = { query: ask as never, release: () => undefined }
  const pool = { connect: async () => held, end: async () => undefined }
  const made = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  // Statements that come while Kysely begins would overtake those that wait for that.
  await made.getExecutor().provideConnection(async () => undefined)
  const over = { tx: made as unknown as DatabaseTransaction, errors }
  overClients.set(client, over)
  return over
}

/** PostgreSQL refuses what comes after a statement that has failed, which may be waited for before that one. */
const isConsequence = (error: unknown) => hasSqlState(error, ['25P02']) || error instanceof RolledBack

class RolledBack extends Error {}

/** Where a statement has failed, PostgreSQL answers the commit with a rollback. */
function requireCommit(answer: pg.QueryResult): pg.QueryResult {
  if (answer.command === 'ROLLBACK') throw new RolledBack('PostgreSQL rolled the transaction back')
  return answer
}
