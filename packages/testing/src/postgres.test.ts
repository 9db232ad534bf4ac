import { Client } from 'pg'
import { expect, test } from 'vitest'
import { createTestDatabase, startTestPostgres } from './postgres.ts'

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

test('each test has its own database, prepared once and dropped after use', async () => {
  let prepared = 0
  const prepare = async (url: string) => {
    prepared += 1
    await query(url, 'create table item as select 1 as value')
  }
  let url: string
  {
    await using first = await createTestDatabase(prepare)
    await using second = await createTestDatabase(prepare)
    url = first.url
    await query(first.url, 'insert into item values (2)')
    expect(await query(first.url, 'select count(*)::int from item')).toEqual([2])
    expect(await query(second.url, 'select count(*)::int from item')).toEqual([1])
  }
  expect(prepared).toBe(1)
  await expect(query(url, 'select 1')).rejects.toThrow('does not exist')
})

test('a database is dropped even while a session holds it', async () => {
  const database = await createTestDatabase()
  const session = new Client({ connectionString: database.url })
  const ended = new Promise((resolve) => session.on('error', resolve))
  await session.connect()
  await database[Symbol.asyncDispose]()
  expect(await ended).toMatchObject({ code: '57P01' })
})

test('a server of its own ends with its use', async () => {
  let url: string
  {
    await using server = await startTestPostgres()
    url = server.url
    expect(await query(url, 'select 1')).toEqual([1])
  }
  await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})

test('what was committed is there after a crash', async () => {
  await using server = await startTestPostgres()
  await query(server.url, 'create table item as select 1 as value')
  await server.crashAndRestart()
  expect(await query(server.url, 'select value from item')).toEqual([1])
})
