import { createTestDatabase } from '@hearth/testing'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { connectDatabase } from './connection.ts'
import { transact } from './transact.ts'

async function connect() {
  const created = await createTestDatabase()
  const connection = connectDatabase(created.url, () => undefined, 1)
  await sql`CREATE TABLE things (id integer PRIMARY KEY)`.execute(connection.database)
  return {
    ...connection,
    insert: (id: number) => sql`INSERT INTO things VALUES (${id})`,
    count: async () =>
      Number(
        (
          await sql<{ count: string }>`SELECT count(*) FROM things WHERE id > ${0}`.execute(
            connection.database,
          )
        ).rows[0]?.count,
      ),
    async [Symbol.asyncDispose]() {
      await connection.close()
      await created[Symbol.asyncDispose]()
    },
  }
}

test('a transaction whose first statement fails changes nothing, also with those that were sent with it', async () => {
  await using world = await connect()
  const { database, insert } = world
  await transact(database, (tx) => insert(1).execute(tx))
  for (let round = 0; round < 4; round += 1) {
    const failing = transact(database, async (tx) => {
      await Promise.all([insert(1).execute(tx), insert(10 + round).execute(tx)])
    })
    await expect(failing).rejects.toThrow(/duplicate key/)
    expect(await world.count()).toBe(1)
  }
})

test('a statement that was refused because another failed does not hide why, whichever is waited for', async () => {
  await using world = await connect()
  const { database, insert } = world
  await transact(database, (tx) => insert(1).execute(tx))
  for (let round = 0; round < 4; round += 1) {
    const failing = transact(database, async (tx) => {
      await sql`SELECT 1`.execute(tx)
      insert(1)
        .execute(tx)
        .catch(() => undefined)
      await insert(10 + round).execute(tx)
    })
    await expect(failing).rejects.toThrow(/duplicate key/)
  }
})

test('statements that are sent at once belong to the transaction, whichever comes first', async () => {
  await using world = await connect()
  const { database, insert } = world
  for (let round = 0; round < 4; round += 1) {
    const undone = transact(database, async (tx) => {
      await Promise.all([sql`SELECT 1`.execute(tx), insert(1).execute(tx), insert(2).execute(tx)])
      throw new Error('undo it')
    })
    await expect(undone).rejects.toThrow('undo it')
    expect(await world.count()).toBe(0)
  }
})

test('statements are carried out in the order they were begun in, on a new connection too', async () => {
  for (let round = 0; round < 5; round += 1) {
    await using world = await connect()
    const { database, insert } = world
    const seen = await transact(database, async (tx) => {
      const first = insert(1).execute(tx)
      for (let hops = 0; hops < round * 3; hops += 1) await Promise.resolve()
      const { rows } = await sql<{ id: number }>`SELECT id FROM things WHERE id > ${0}`.execute(tx)
      await first
      return rows
    })
    expect(seen).toEqual([{ id: 1 }])
  }
})

test('a transaction without a statement ends, and the next one is one of its own', async () => {
  await using world = await connect()
  const { database, insert } = world
  await transact(database, async () => undefined)
  await expect(transact(database, () => Promise.reject(new Error('nothing')))).rejects.toThrow('nothing')
  await insert(1).execute(database)
  await transact(database, (tx) => insert(2).execute(tx))
  expect(await world.count()).toBe(2)
})

test('a prepared statement goes on when a newer version has changed its table', async () => {
  await using world = await connect()
  const { database, insert } = world
  const read = (queryable: typeof database) =>
    sql<{ id: number }>`SELECT * FROM things WHERE id = ${1}`.execute(queryable)
  await insert(1).execute(database)
  for (let round = 0; round < 4; round += 1) {
    for (let repeat = 0; repeat < 8; repeat += 1) await read(database)
    await sql.raw(`ALTER TABLE things ADD COLUMN more_${round} integer`).execute(database)
    const { rows } = await (round % 2 === 0 ? read(database) : transact(database, read))
    expect(rows[0]).toHaveProperty(`more_${round}`)
  }
})
