import { advisoryLocks, connectDatabase, migrate, migrations } from '@hearth/control-plane'
import { createTestDatabase } from '@hearth/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startCuttableRelay } from './cuttable-relay.ts'
import { newerMigrations } from './newer-migrations.ts'

const names = Object.keys(migrations)
const oldest = Object.fromEntries(Object.entries(migrations).slice(0, 3))

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

test('two replicas that start at once on an empty database migrate it once', async () => {
  await using database = await createTestDatabase()
  const both = await Promise.all([migrate(database.url), migrate(database.url)])
  expect(both.flatMap(({ applied }) => applied)).toEqual(names)
})

test('a database is migrated while a table of another schema comes and goes', async () => {
  await using database = await createTestDatabase()
  const ended = new AbortController()
  const change = async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const columns = Array.from({ length: 30 }, (_, column) => `c${column} int`).join(', ')
    const drops = Array.from({ length: 30 }, (_, column) => `DROP COLUMN c${column}`).join(', ')
    await client.query(`CREATE SCHEMA other`)
    while (!ended.signal.aborted) {
      await client.query(`CREATE TABLE other.changing (${columns})`)
      await client.query(`ALTER TABLE other.changing ${drops}`)
      await client.query(`DROP TABLE other.changing`)
    }
    await client.end()
  }
  const changing = change()
  try {
    expect((await migrate(database.url)).applied).toEqual(names)
    for (let round = 0; round < 5; round += 1) expect((await migrate(database.url)).applied).toEqual([])
  } finally {
    ended.abort()
    await changing
  }
}, 60_000)

test('the database of an older version is migrated to the newest schema', async () => {
  await using database = await createTestDatabase()
  await migrate(database.url, oldest)
  expect(await migrate(database.url)).toEqual({ applied: names.slice(3), unknown: [] })
  expect(await migrate(database.url)).toEqual({ applied: [], unknown: [] })
})

test('a newer schema than this version’s is reported and left unchanged', async () => {
  await using database = await createTestDatabase()
  await migrate(database.url, newerMigrations)
  expect(await migrate(database.url)).toEqual({ applied: [], unknown: ['9999-later'] })
  expect(await query(database.url, 'SELECT count(*)::int FROM later')).toEqual([0])
})

test('a failed migration leaves nothing behind', async () => {
  await using database = await createTestDatabase()
  const failing = { ...newerMigrations, '9999-worse': { up: () => Promise.reject(new Error('no')) } }
  await expect(migrate(database.url, failing)).rejects.toThrow('no')
  expect(await query(database.url, `SELECT to_regclass('later')::text`)).toEqual([null])
})

test('a migration waits for a table in use, without blocking its users', async () => {
  await using database = await createTestDatabase()
  await migrate(database.url)
  const user = new pg.Client({ connectionString: database.url })
  await user.connect()
  await user.query('BEGIN; LOCK TABLE claims IN ACCESS SHARE MODE')
  const migrating = migrate(database.url, newerMigrations)
  // If the migration had not given way, later transactions would wait behind it.
  await expect
    .poll(() =>
      query(database.url, "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'relation'"),
    )
    .toEqual([1])
  expect(await query(database.url, 'SELECT count(*)::int FROM claims')).toEqual([0])
  await user.query('COMMIT')
  expect((await migrating).applied).toEqual(['9999-later'])
  await user.end()
}, 60_000)

test('PostgreSQL ends a transaction whose replica hangs, and its lock is free', async () => {
  await using database = await createTestDatabase()
  const hung = connectDatabase(database.url, () => undefined, 2)
  const client = await hung.pool.connect()
  await client.query('BEGIN')
  await client.query('SELECT pg_advisory_xact_lock($1)', [advisoryLocks.publisher])
  const other = connectDatabase(database.url, () => undefined, 2)
  const began = performance.now()
  await other.pool.query('SELECT pg_advisory_xact_lock($1)', [advisoryLocks.publisher])
  expect(performance.now() - began).toBeLessThan(15_000)
  // The halted replica gets an error when it continues, and its process survives.
  await expect(client.query('COMMIT')).rejects.toThrow('not queryable')
  client.release(true)
  await hung.close()
  await other.close()
}, 60_000)

test('a dead connection is given up, and another one used', async () => {
  await using database = await createTestDatabase()
  const { hostname, port } = new URL(database.url)
  await using relay = await startCuttableRelay({ host: hostname, port: Number(port) })
  const through = new URL(database.url)
  through.port = String(relay.port)
  const { pool, close } = connectDatabase(through.href, () => undefined, 2, 500)
  const { rows } = await pool.query('SELECT pg_backend_pid() AS pid')
  relay.freeze()
  const client = await pool.connect()
  await expect(client.query('SELECT 1')).rejects.toThrow('Connection terminated')
  client.release()
  expect((await pool.query('SELECT pg_backend_pid() AS pid')).rows).not.toEqual(rows)
  await close()
})
