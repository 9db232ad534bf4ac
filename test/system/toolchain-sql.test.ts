import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type PipelineRun, tellingOfSync } from './pipeline-run.ts'
import { query, send, sqlToolchain, startSqlPipeline } from './sql-pipeline.ts'

/** The toolchain `sql` by itself: its checks, and its service with rows in and out. */
const folder = mkdtempSync(join(tmpdir(), 'hearth-sql-'))
const started: PipelineRun[] = []
afterAll(async () => {
  for (const pipeline of started) await pipeline[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const orders = `CREATE TABLE orders (id INT NOT NULL PRIMARY KEY, customer VARCHAR(20), total DOUBLE, paid BOOLEAN)
  WITH ('materialized' = 'true');
CREATE MATERIALIZED VIEW spent AS SELECT customer, SUM(total) AS total FROM orders GROUP BY customer;
`

function check(program: string | Buffer) {
  const path = join(folder, 'checked.sql')
  writeFileSync(path, program)
  const { status, stdout, stderr } = spawnSync('python3', ['-B', join(sqlToolchain, 'check.py'), path], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  const faults = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { status, faults }
}

async function start(name: string, program = orders, wish: Record<string, unknown> = { desired: 'running' }) {
  const pipeline = await startSqlPipeline(join(folder, name), program, wish)
  started.push(pipeline)
  return pipeline
}

const ingress = (pipeline: PipelineRun, body: string, query = 'update_format=raw') =>
  send(pipeline, `/ingress/orders?${query}`, body)

test('a program that is right has no faults', () => {
  expect(check(orders)).toEqual({ status: 0, faults: [] })
})

test.each([
  ['', 1, 1, 'the program is empty'],
  ['CREATE TABLE t (a INT);\n  DROP TABLE t;', 2, 3, 'CREATE TABLE and CREATE VIEW statements alone'],
  ['CREATE TABLE t (a INT);\nCREATE VIEW v AS SELECT b FROM t;', 2, 25, 'no such column: b'],
  ['CREATE TABLE t (a INT);\nCREATE VIEW v AS SELECT é FROM t;', 2, 25, 'no such column: é'],
  ['CREATE VIEW v AS SELEC 1;', 1, 18, 'near "SELEC": syntax error'],
  ["CREATE TABLE t (a INT DEFAULT 'x);", 1, 31, 'a quotation that is not closed'],
  ['CREATE TABLE t AS SELECT 1;', 1, 1, 'has its columns in parentheses'],
  ['CREATE TABLE hearth_x (a INT);', 1, 14, 'hearth_x is a reserved name'],
  ['CREATE TABLE t (a INT);\nCREATE TABLE T (a INT);', 2, 14, 'already exists'],
])('a fault has its line and column: %j', (program, line, column, message) => {
  const { status, faults } = check(program)
  expect(status).toBe(1)
  expect(faults).toMatchObject([
    { line, column, message: expect.stringContaining(message), isWarning: false },
  ])
})

test('all faults are told, in the order of the text, and a program in another encoding is one', () => {
  const { faults } = check('CREATE VIEW a AS SELECT x;\nCREATE VIEW b AS SELECT y;')
  expect(faults).toMatchObject([
    { line: 1, endColumn: 25 },
    { line: 2, snippet: 'CREATE VIEW b AS SELECT y;\n                        ^' },
  ])
  const latin = check(Buffer.from("CREATE TABLE t (a INT DEFAULT '\xe9');", 'latin1'))
  expect(latin).toMatchObject({ status: 1, faults: [{ message: 'the program is not UTF-8: byte 31' }] })
})

test('rows go in, views are read, and what is not right is refused with the row, and none of its request is taken', async () => {
  await using pipeline = await start('rows')
  await pipeline.until('running')
  const rows = '{"id":1,"customer":"ann","total":2.5,"paid":true}\n{"id":2,"customer":"bob","total":1}'
  expect(await ingress(pipeline, rows)).toEqual({ status: 200, body: { rows: 2 } })
  expect(await ingress(pipeline, '3,ann,7.5,false\n', 'format=csv')).toMatchObject({ status: 200 })
  expect(await ingress(pipeline, '[{"delete":{"id":2}},{"insert":[4,"cid",1,null]}]', 'array=true')).toEqual({
    status: 200,
    body: { rows: 2 },
  })
  const refusals: [string, string, string][] = [
    ['{"id":9}\n{"id":"x"}', 'update_format=raw', 'row 2, column id: "x" is no INT'],
    ['{"id":9}\n{"idd":1}', 'update_format=raw', "row 2 has 'idd', which is no column"],
    ['{"id":9}\n{"id":null}', 'update_format=raw', 'row 2: NOT NULL constraint failed'],
    ['{"id":9}\n{', 'update_format=raw', 'line 2 is not JSON'],
    ['{"id":9}', '', 'row 1 is neither {"insert": …} nor {"delete": …}'],
    ['9,a\n', 'format=csv', 'row 1 has 2 values, the table has 4 columns'],
  ]
  for (const [body, asked, message] of refusals) {
    const refused = await ingress(pipeline, body, asked)
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringContaining(message) } })
  }
  expect(await query(pipeline, 'SELECT * FROM orders ORDER BY id')).toEqual([
    { id: 1, customer: 'ann', total: 2.5, paid: true },
    { id: 3, customer: 'ann', total: 7.5, paid: false },
    { id: 4, customer: 'cid', total: 1, paid: null },
  ])
  expect(await query(pipeline, "SELECT total FROM spent WHERE customer = 'ann'")).toEqual([{ total: 10 }])
})

test('a query changes nothing, and reads no file', async () => {
  await using pipeline = await start('reads')
  await pipeline.until('running')
  for (const sql of ['DELETE FROM orders', "ATTACH '/etc/passwd' AS x", 'PRAGMA journal_mode = DELETE', ''])
    expect((await fetch(`${pipeline.url}/query?sql=${encodeURIComponent(sql)}`)).status, sql).toBe(400)
})

test('it pauses, resumes, is suspended, and has the same rows when it is started again', async () => {
  const first = await start('life', orders, { desired: 'paused' })
  await first.until('paused')
  const row = '{"id":1,"customer":"ann","total":1}'
  expect((await ingress(first, row)).status).toBe(400)
  expect((await ingress(first, row, 'update_format=raw&force=true')).status).toBe(200)
  first.wish({ desired: 'running' })
  await first.until('running')
  const many = Array.from({ length: 10_000 }, (_, id) => `{"id":${id},"customer":"c${id % 7}","total":1}`)
  expect(await ingress(first, many.join('\n'))).toMatchObject({ body: { rows: 10_000 } })
  first.wish({ desired: 'suspended' })
  expect(await first.ended(), first.output()).toBe(0)
  expect(first.journal().map(({ status }) => status)).toEqual([
    ...['initializing', 'paused', 'running', 'suspended'],
  ])
  await using second = await start('life', orders, { desired: 'standby' })
  await second.until('standby')
  expect((await ingress(second, row)).status).toBe(503)
  second.wish({ desired: 'running' })
  await second.until('running')
  expect(await query(second, 'SELECT count(*) AS n, sum(total) AS s FROM orders')).toEqual([
    { n: 10_000, s: 10_000 },
  ])
})

test('what was answered is there after a loss of power, and what was not is there as a whole or not at all', async () => {
  const first = await start('power')
  await first.until('running')
  expect((await ingress(first, '{"id":-1}')).status).toBe(200)
  // A body whose end is never sent: its rows are read, and none of them is taken.
  const open = request(`${first.url}/ingress/orders?update_format=raw`, {
    method: 'POST',
    headers: { 'content-length': 1_000_000 },
  })
  open.on('error', () => undefined)
  open.write(Array.from({ length: 2_000 }, (_, id) => `{"id":${id}}\n`).join(''))
  await first.kill()
  await using second = await start('power')
  await second.until('running')
  expect(await query(second, 'SELECT id FROM orders')).toEqual([{ id: -1 }])
})

test('a changed program waits for approval, is refused, or keeps the rows of tables that are as before', async () => {
  const first = await start('changed')
  await first.until('running')
  await ingress(first, '{"id":1,"customer":"ann","total":1}')
  first.wish({ desired: 'suspended' })
  await first.ended()
  const changed = `${orders}CREATE VIEW many AS SELECT count(*) AS n FROM orders;`
  const rejected = await start('changed', changed, { desired: 'running', bootstrap: 'reject' })
  expect(await rejected.ended()).toBe(1)
  expect(rejected.output()).toContain('the bootstrap policy is reject')
  await using waiting = await start('changed', changed)
  await waiting.until('awaiting_approval')
  const differences = { added: ['many'], removed: [], changed: [] }
  expect(waiting.journal().at(-1)?.details).toEqual({ approvalDiff: differences })
  waiting.wish({ desired: 'running', isApproved: true })
  await waiting.until('running')
  expect(waiting.journal().map(({ status }) => status)).toContain('bootstrapping')
  expect(await query(waiting, 'SELECT n FROM many')).toEqual([{ n: 1 }])
})

test('nobody is served before a changed program has what it computes, and no listener is told of that', async () => {
  const first = await start('silent')
  await first.until('running')
  await ingress(first, '{"id":1,"customer":"ann","total":1}')
  first.wish({ desired: 'suspended' })
  await first.ended()
  await using waiting = await start(
    'silent',
    `${orders}CREATE VIEW many AS SELECT count(*) AS n FROM orders;`,
  )
  await waiting.until('awaiting_approval')
  const refused = await send(waiting, '/egress/many?format=json', '')
  expect(refused).toMatchObject({
    status: 503,
    body: { message: expect.stringContaining('awaiting_approval') },
  })
  waiting.wish({ desired: 'running', isApproved: true, isSilent: true })
  await waiting.until('running')
  const listening = new AbortController()
  const { signal } = listening
  const pieces = piecesOf(await fetch(`${waiting.url}/egress/many?format=json`, { method: 'POST', signal }))
  expect((await pieces.next()).value).toEqual({ sequence_number: 0 })
  await ingress(waiting, '{"id":2,"customer":"ann","total":1}')
  const { value } = await pieces.next()
  expect(value).toEqual({
    sequence_number: 1,
    json_data: expect.arrayContaining([{ delete: { n: 1 } }, { insert: { n: 2 } }]) as unknown,
  })
  listening.abort()
})

/** SQLite keeps statements with capitals and spaces of its own, which none of these has. */
const lower = "create  /* all */ table t (id int primary key, -- the number\n  name varchar default 'a  b');"

test('a table that is written as SQLite would not write it keeps its rows when another is added', async () => {
  const first = await start('lower', lower)
  await first.until('running')
  expect(await send(first, '/ingress/t?update_format=raw', '{"id":1}')).toMatchObject({ status: 200 })
  first.wish({ desired: 'suspended' })
  await first.ended()
  const added = `${lower}\ncreate table u (id int);`
  const second = await start('lower', added)
  await second.until('awaiting_approval')
  const differences = { added: ['u'], removed: [], changed: [] }
  expect(second.journal().at(-1)?.details).toEqual({ approvalDiff: differences })
  second.wish({ desired: 'running', bootstrap: 'allow' })
  await second.until('running')
  expect(await query(second, 'SELECT * FROM t')).toEqual([{ id: 1, name: 'a  b' }])
  second.wish({ desired: 'suspended' })
  await second.ended()
  await using third = await start('lower', added.replace("'a  b'", "'a b'"))
  await third.until('awaiting_approval')
  expect(third.journal().at(-1)?.details).toEqual({
    approvalDiff: { ...differences, added: [], changed: ['t'] },
  })
})

test('another spelling of the same program asks for no approval, and keeps the rows', async () => {
  const first = await start('spelling', lower)
  await first.until('running')
  await send(first, '/ingress/t?update_format=raw', '{"id":1}')
  first.wish({ desired: 'suspended' })
  await first.ended()
  const again = "CREATE TABLE t(\r\n\tid INT PRIMARY KEY,\r\n\tname VARCHAR DEFAULT 'a  b'\r\n)"
  await using second = await start('spelling', again, { desired: 'running', bootstrap: 'reject' })
  await second.until('running')
  expect(await query(second, 'SELECT * FROM t')).toEqual([{ id: 1, name: 'a  b' }])
})

test('all that was written is on the disks before it says that it is suspended', async () => {
  const watched = tellingOfSync(join(folder, 'watched'))
  const pipeline = await startSqlPipeline(join(folder, 'sync'), orders, { desired: 'running' }, watched)
  started.push(pipeline)
  await pipeline.until('running')
  expect(pipeline.output()).not.toContain('synced')
  pipeline.wish({ desired: 'suspended' })
  await pipeline.ended()
  expect(pipeline.output()).toMatch(/synced\n.*"suspended"/)
})

test('who listens to a view is told each difference once, with how often', async () => {
  await using pipeline = await start('egress')
  await pipeline.until('running')
  await ingress(pipeline, '{"id":1,"customer":"ann","total":1}')
  const listening = new AbortController()
  const answer = await fetch(`${pipeline.url}/egress/spent?format=json&send_snapshot=true`, {
    signal: listening.signal,
  })
  const pieces = piecesOf(answer)
  const told = async () => {
    for (;;) {
      const { done, value } = await pieces.next()
      if (done === true) return null
      if (value.json_data !== undefined) return value.json_data
    }
  }
  expect(await told()).toEqual([{ insert: { customer: 'ann', total: 1 } }])
  await ingress(pipeline, '{"id":2,"customer":"ann","total":2}')
  expect(await told()).toEqual(
    expect.arrayContaining([
      { delete: { customer: 'ann', total: 1 } },
      { insert: { customer: 'ann', total: 3 } },
    ]),
  )
  listening.abort()
})

async function* piecesOf(answer: Response): AsyncGenerator<{ json_data?: unknown[] }, void> {
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString()
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as { json_data?: unknown[] }
  }
}
