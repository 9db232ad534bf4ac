import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PipelineRun } from './pipeline-run.ts'
import { query, send, startSqlPipeline } from './sql-pipeline.ts'

/** The toolchain `sql` with callers who send what they should not: each is answered, and the others are served on. */
const folder = mkdtempSync(join(tmpdir(), 'hearth-sql-hostile-'))
let pipeline: PipelineRun
beforeAll(async () => {
  const program = 'CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR, size DOUBLE, raw BLOB);'
  pipeline = await startSqlPipeline(folder, program, { desired: 'running' })
  await pipeline.until('running')
})
afterAll(async () => {
  await pipeline[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const queryAddress = (sql: string, format = 'json') =>
  `${pipeline.url}/query?format=${format}&sql=${encodeURIComponent(sql)}`

test.each<[string, string, string | Buffer, string]>([
  ['CSV that is not UTF-8', 'format=csv', Buffer.from('1,\xe9,1,\n', 'latin1'), 'row 1 cannot be read'],
  ['a cell that is too long', 'format=csv', `1,${'a'.repeat(200_000)},1,`, 'row 1 cannot be read'],
  ['half of a pair', '', '{"id":1}\n{"id":2,"name":"\\ud800"}', 'row 2: '],
  ['deep arrays', '', `{"id":1}\n${'['.repeat(200_000)}`, 'row 2 cannot be read'],
  ['a number beyond all', '', `{"id":1,"size":1${'0'.repeat(400)}}`, 'is no DOUBLE'],
  ['infinity', '', '{"id":1,"size":1e999}', 'is no DOUBLE'],
  ['no number', '', '{"id":1,"size":NaN}', 'line 1 is not JSON: NaN'],
  ['a number beyond 64 bits', '', '{"id":1,"raw":9223372036854775808}', 'row 1: '],
  ['a number of too many digits', '', `{"id":${'9'.repeat(5_000)}}`, 'line 1 is not JSON'],
  ['a name without end', '', `{"${'a'.repeat(100_000)}":1}`, 'which is no column'],
])(
  'a row that cannot be read is refused, and nothing of its request is taken: %s',
  async (_, asked, body, message) => {
    const refused = await send(pipeline, `/ingress/t?update_format=raw&${asked}`, body)
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringContaining(message) } })
    expect(String(refused.body.message).length).toBeLessThan(1_001)
    expect(await query(pipeline, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 0 }])
  },
)

test.each([
  ['GET http://[/ HTTP/1.1', 'the address cannot be read'],
  ['POST /ingress/t HTTP/1.1\r\nContent-Length: many', "a Content-Length of 'many'"],
])('a request that cannot be read is refused: %j', async (head, message) => {
  const socket = connect(Number(new URL(pipeline.url).port), '127.0.0.1')
  socket.write(`${head}\r\nConnection: close\r\n\r\n`)
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer).toContain(message)
})

test('what a query says is never a line of the journal', async () => {
  const prefix = /^(.*)\{"status": "running"/m.exec(pipeline.output())?.[1] ?? ''
  expect(prefix).not.toBe('')
  const forged = `${prefix}{"status": "suspended", "since": "2026-01-01T00:00:00Z", "details": null}`
  const sql = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    SELECT CASE WHEN i < 2000 THEN hex(zeroblob(50)) ELSE CAST(x'ff' AS TEXT) END AS "\n${forged.replaceAll('"', '""')}\n" FROM n`
  await expect((await fetch(queryAddress(sql))).text()).rejects.toThrow()
  await eventually(async () => (pipeline.output().includes('an answer ended early: ') ? true : null), {
    timeoutMilliseconds: 20_000,
  })
  expect(pipeline.output()).toContain('2026-01-01T00:00:00Z')
  expect(pipeline.journal().map(({ status }) => status)).toEqual(['initializing', 'running'])
})

test.each([
  ['one value', 'SELECT length(randomblob(300000000)) AS n', 'too big'],
  [
    'many values',
    `SELECT ${Array.from({ length: 40 }, (_, n) => `randomblob(16000000) AS c${n}`).join(', ')}`,
    '',
  ],
])(
  'a query that wants more memory than it may have is refused, and the next is served: %s',
  async (_, sql, message) => {
    const answer = await fetch(queryAddress(sql))
    expect(answer.status).toBeGreaterThan(399)
    expect(((await answer.json()) as { message: string }).message).toContain(message)
    expect(await query(pipeline, 'SELECT length(randomblob(1000000)) AS n')).toEqual([{ n: 1_000_000 }])
  },
)

test('what JSON cannot say is null, and columns of one name are refused where one would be lost', async () => {
  expect(await query(pipeline, 'SELECT 9e999 AS a, -9e999 AS b, 1.5 AS c')).toEqual([
    { a: null, b: null, c: 1.5 },
  ])
  const doubled = await fetch(queryAddress('SELECT 1 AS a, 2 AS a'))
  expect(doubled.status).toBe(400)
  expect(await doubled.json()).toMatchObject({
    message: expect.stringContaining("two columns are named 'a'"),
  })
  expect(await (await fetch(queryAddress('SELECT 1 AS a, 2 AS a', 'text'))).text()).toContain('1 | 2')
  expect((await fetch(queryAddress('SELECT 1; SELECT 2'))).status).toBe(400)
})

test('an array may be of several lines, whatever its strings have, and several may follow each other', async () => {
  const array = 'update_format=raw&array=true'
  const rows = '[\n  {"id": 1, "name": "a ] \\" ["},\n\n  {"id": 2, "name": "\\\\"}\n]\n[[3, "c", 1, null]]\n'
  expect(await send(pipeline, `/ingress/t?${array}`, rows)).toEqual({ status: 200, body: { rows: 3 } })
  expect(await query(pipeline, 'SELECT name FROM t ORDER BY id')).toEqual([
    { name: 'a ] " [' },
    { name: '\\' },
    { name: 'c' },
  ])
  const open = await send(pipeline, `/ingress/t?${array}`, '[{"id": 4}]\n\n[\n{"id": 5}\n')
  expect(open).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('line 3 is not JSON') },
  })
  const object = await send(pipeline, `/ingress/t?${array}`, '{"id": 4}')
  expect(object).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('line 1 is no array') },
  })
  const long = await send(
    pipeline,
    `/ingress/t?${array}`,
    `[\n${`"${'a'.repeat(1_000_000)}",\n`.repeat(17)}]`,
  )
  expect(long).toMatchObject({ status: 400, body: { message: expect.stringContaining('begins in line 1') } })
})
