import { Migrator } from 'kysely'
import type { Database } from './connection.ts'
import { migrations } from './migrations/index.ts'

/** Brings the database to the newest schema; safe for several replicas at once (Kysely holds a lock). */
export async function migrate(database: Database): Promise<string[]> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
  return (results ?? []).map(({ migrationName }) => migrationName)
}
