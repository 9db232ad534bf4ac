import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, type Migration, Migrator, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { connectionSettings, type Database } from './connection.ts'
import { migrations } from './migrations/index.ts'
import type { Schema } from './schema.ts'

/** A change of a table waits for who uses it, and whoever comes later waits behind it: it gives way, and tries again. */
const lockMilliseconds = 3_000
const restMilliseconds = 1_000
/** A replica that is halted while it migrates loses its connection, and with it the lock. */
const haltedMilliseconds = 30_000
const patienceMilliseconds = 10 * 60_000
const lockNotAvailable = '55P03'

export interface Migrated {
  /** What was done now, in order. */
  applied: string[]
  /** What a newer version has done and this one does not know: it only added, so this one goes on working. */
  unknown: string[]
}

/**
 * Brings the database to the newest schema; safe for several replicas at once (Kysely holds a lock), and while older
 * ones work. A schema that is newer than this version is left as it is.
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
  // Asked for under the lock, so that what it says of the database stays true.
  const getMigrations = async () => {
    unknown = (await executedMigrations(database)).filter((name) => !(name in known))
    return { ...known, ...Object.fromEntries(unknown.map((name) => [name, doneElsewhere])) }
  }
  for (;;) {
    const migrator = new Migrator({
      db: database,
      provider: { getMigrations },
      allowUnorderedMigrations: true,
    })
    const { error, results } = await migrator.migrateToLatest()
    if (error === undefined) {
      return { applied: (results ?? []).map(({ migrationName }) => migrationName), unknown }
    }
    if (!isLockTimeout(error) || performance.now() > end) throw error
    await delay(restMilliseconds)
  }
}

/** Stands for a migration that a newer version has done: Kysely refuses a database that has done more than it knows. */
const doneElsewhere: Migration = { up: () => Promise.resolve() }

async function executedMigrations(database: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name`.execute(
    database,
  )
  return rows.map(({ name }) => name)
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === lockNotAvailable
}
