import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, type Migration, Migrator, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { connectionSettings, type Database } from './connection.ts'
import { migrations } from './migrations/index.ts'
import type { Schema } from './schema.ts'
import { hasSqlState } from './sql-state.ts'

/**
 * Lock timeout of a migration. ALTER TABLE waits for the table's users while later queries queue behind it, so it gives
 * up soon and tries again.
 */
const lockMilliseconds = 3_000
const restMilliseconds = 1_000
/** Timeout after which a replica that was suspended while migrating loses its connection and the lock. */
const haltedMilliseconds = 30_000
const patienceMilliseconds = 10 * 60_000
const lockNotAvailable = '55P03'
/**
 * Undefined column, undefined table and an internal error: what PostgreSQL answers Kysely, which looks at the tables of
 * every schema before it takes its lock, while the queue of another replica changes its own.
 */
const catalogChanged = ['42703', '42P01', 'XX000']
const mostLooks = 20

export interface Migrated {
  /** Migrations applied by this call, in order. */
  applied: string[]
  /** Migrations of a newer version. Migrations only add, so this version goes on working. */
  unknown: string[]
}

/**
 * Migrates the database to this version's schema; safe with several replicas at once (Kysely holds a lock) and while
 * older ones run. A newer schema is left as it is.
 */
export async function migrate(url: string, known: Record<string, Migration> = migrations): Promise<Migrated> {
  const changes = {
    statement_timeout: 0,
    lock_timeout: lockMilliseconds,
    idle_session_timeout: haltedMilliseconds,
  }
  const pool = new pg.Pool({ ...connectionSettings(url, 'hearth-migration', changes), max: 2 })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const database = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await migrateOnce(database, known, performance.now() + patienceMilliseconds)
  } finally {
    await database.destroy()
  }
}

async function migrateOnce(
  database: Database,
  known: Record<string, Migration>,
  end: number,
): Promise<Migrated> {
  let unknown: string[] = []
  // Read while Kysely holds its lock, so that the list of applied migrations cannot change.
  const getMigrations = async () => {
    unknown = (await executedMigrations(database)).filter((name) => !(name in known))
    return { ...known, ...Object.fromEntries(unknown.map((name) => [name, doneElsewhere])) }
  }
  for (let looks = 1; ; looks += 1) {
    const migrator = new Migrator({
      db: database,
      provider: { getMigrations },
      allowUnorderedMigrations: true,
    })
    const { error, results } = await migrator.migrateToLatest()
    if (error === undefined) {
      return { applied: (results ?? []).map(({ migrationName }) => migrationName), unknown }
    }
    // Without results no migration was begun.
    const isLookOnly = results === undefined && hasSqlState(error, catalogChanged) && looks < mostLooks
    if (!(isLookOnly || hasSqlState(error, [lockNotAvailable])) || performance.now() > end) throw error
    await delay(restMilliseconds)
  }
}

/** Stands in for a newer version's migration: Kysely refuses a database with migrations that it does not know. */
const doneElsewhere: Migration = { up: () => Promise.resolve() }

async function executedMigrations(database: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name`.execute(
    database,
  )
  return rows.map(({ name }) => name)
}
