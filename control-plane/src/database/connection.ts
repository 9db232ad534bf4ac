import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { setPool } from './pool-of.ts'
import { preparingClient } from './preparing-client.ts'
import type { Schema } from './schema.ts'
import { hasSqlState } from './sql-state.ts'

export type Database = Kysely<Schema>
export type DatabaseTransaction = Transaction<Schema>
/** Where a query does not care whether it runs in a transaction. */
export type Queryable = Database | DatabaseTransaction

export interface DatabaseConnection {
  database: Database
  pool: pg.Pool
  close(): Promise<void>
}

/**
 * Server-side timeouts that end the transactions of a replica that hangs or is cut off, and free the locks that other
 * replicas wait for. In milliseconds; the TCP keepalive settings are in seconds.
 */
const sessionSettings = {
  idle_in_transaction_session_timeout: 10_000,
  statement_timeout: 30_000,
  client_connection_check_interval: 5_000,
  tcp_keepalives_idle: 10,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  tcp_user_timeout: 20_000,
}
const connectMilliseconds = 10_000
/**
 * Query timeout of the client. Longer than the server's statement timeout: a server that has not answered by then is
 * gone.
 */
const answerMilliseconds = 40_000
/** Maximum lifetime of a connection: after a failover the address may belong to another server. */
const lifetimeSeconds = 300
/** Idle time before TCP keepalive probes. */
const probeAfterMilliseconds = 10_000

/** Settings of every database connection: a dead one is noticed, and no query waits for ever. */
export function connectionSettings(
  url: string,
  name: string,
  changes: Readonly<Record<string, number>> = {},
): pg.ClientConfig {
  const settings = Object.entries({ ...sessionSettings, ...changes })
  return {
    connectionString: url,
    application_name: name,
    options: settings.map(([setting, value]) => `-c ${setting}=${value}`).join(' '),
    keepAlive: true,
    keepAliveInitialDelayMillis: probeAfterMilliseconds,
    connectionTimeoutMillis: connectMilliseconds,
  }
}

/** `onError` is called for idle connections that the server closed. The pool replaces them by itself. */
export function connectDatabase(
  url: string,
  onError: (error: Error) => void,
  connections = 20,
  patienceMilliseconds = answerMilliseconds,
): DatabaseConnection {
  const pool = new pg.Pool({
    ...connectionSettings(url, 'hearth-control-plane'),
    max: connections,
    Client: preparingClient(patienceMilliseconds),
    maxLifetimeSeconds: lifetimeSeconds,
  })
  pool.on('error', onError)
  // The query on a connection that is lost in use fails anyway; without a listener the error would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const database = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  setPool(database, pool)
  return { database, pool, close: () => database.destroy() }
}

/** Whether the connection was lost or refused, so that a retry may succeed. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && lossCodes.test(String(error.code))) || lossMessages.test(error.message)
}

// Connection exceptions, "administrator command", "crash", "starting up", a server that only reads since a failover,
// timeouts of idle transactions; the system's own.
const lossCodes =
  /^(08\w{3}|57P0[123]|25006|25P03|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/
const lossMessages =
  /^Connection terminated|not queryable|timeout exceeded when trying to connect|^Client was closed/

/** Whether PostgreSQL refused a row because another with the same unique value exists. */
export function isUniqueViolation(error: unknown): boolean {
  return hasSqlState(error, ['23505'])
}
