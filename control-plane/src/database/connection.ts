import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { Schema } from './schema.ts'

export type Database = Kysely<Schema>
export type DatabaseTransaction = Transaction<Schema>
/** Where a query does not care whether it runs in a transaction. */
export type Queryable = Database | DatabaseTransaction

export interface DatabaseConnection {
  database: Database
  pool: pg.Pool
  close(): Promise<void>
}

/** `onError` hears of idle connections that the server cut: the pool replaces them, nothing else is to be done. */
export function connectDatabase(
  url: string,
  onError: (error: Error) => void,
  connections = 20,
): DatabaseConnection {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: 'hearth-control-plane',
  })
  pool.on('error', onError)
  const database = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  return { database, pool, close: () => database.destroy() }
}

/** Whether PostgreSQL refused a row because another with the same unique value exists. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505'
}
