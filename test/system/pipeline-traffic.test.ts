import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import type { PipelineRun } from './pipeline-run.ts'
import { startSqlPipeline } from './sql-pipeline.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Rows into and out of a pipeline, through the control plane and the agent, to the toolchain `sql` with real processes. */
const program = `CREATE TABLE orders (id INT NOT NULL PRIMARY KEY, customer VARCHAR(20));
CREATE VIEW n AS SELECT count(*) AS n FROM orders;`
const patience = { timeoutMilliseconds: 20_000 }
let installation: Installation
let agent: SyntheticAgent
let run: PipelineRun
let sql: pg.Client
let client: HearthClient

beforeAll(async () => {
  installation = await startInstallation()
  run = await startSqlPipeline(join(installation.folder, 'run'), program, { desired: 'running' })
  await run.until('running')
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    environment: { HEARTH_SYNTHETIC_PORTS: `8080=${new URL(run.url).host}` },
    timings: { heartbeat: 200, progressReport: 0 },
  })
  ;({ client } = installation)
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'shop' })
  const { metadata } = await client.environments.create({
    name: 'machine',
    spec: { projectId, environmentClassId: (await client.environmentClasses.get('small')).metadata.id },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  await client.pipelines.create({ name: 'orders', spec: { program: { code: program } } })
  await client.pipelines.create({ name: 'resting', spec: { program: { code: program } } })
  // As its reconciler makes it.
  await sql.query(
    `UPDATE pipelines SET resources = 'provisioned', desired = 'provisioned', runtime = 'running', phase = 'running',
       status = jsonb_set(status, '{deployment}', $1::jsonb) WHERE name = 'orders'`,
    [JSON.stringify({ id: metadata.id, environmentId: metadata.id })],
  )
}, 60_000)
afterAll(async () => {
  await sql?.end()
  await agent?.[Symbol.asyncDispose]()
  await run?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

async function ask(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${installation.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'text/plain', ...headers },
    ...(body === undefined ? {} : { body }),
  })
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}
const json = ({ text }: { text: string }) => JSON.parse(text) as Record<string, unknown>
const rowsIn = async (where = '') =>
  (
    await ask(
      'GET',
      `/v1/pipelines/orders/query?sql=${encodeURIComponent(`SELECT id FROM orders ${where} ORDER BY id`)}`,
    )
  ).text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { id: number }).id)

test('rows go in as a whole or not at all, and a query streams them out', async () => {
  const many = Array.from({ length: 10_000 }, (_, id) => `{"id":${id},"customer":"c${id % 7}"}`).join('\n')
  expect(await ask('POST', '/v1/pipelines/orders/ingress/orders', many)).toMatchObject({
    status: 200,
    text: '{"rows":10000}',
  })
  expect(await rowsIn()).toHaveLength(10_000)
  const faulty = await ask('POST', '/v1/pipelines/orders/ingress/orders', '{"id":-1}\n{"id":"x"}')
  expect(faulty.status).toBe(400)
  expect(json(faulty)).toMatchObject({
    error: {
      message: expect.stringContaining('row 2, column id: "x" is no INT'),
      facts: { programStatus: 400 },
    },
  })
  expect(await rowsIn('WHERE id < 0')).toEqual([])
  const text = await ask('GET', '/v1/pipelines/orders/query?format=text&sql=SELECT%20n%20FROM%20n')
  expect(text).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8', text: 'n\n-\n10000\n' })
  let asked = ''
  for await (const piece of client.pipelines.query('orders', 'SELECT n FROM n')) asked += piece
  expect(asked).toBe('{"n": 10000}\n')
  const sent = await client.pipelines.send('orders', 'orders', Buffer.from('-5,cli\n'), { format: 'csv' })
  expect(sent).toEqual({ rows: 1 })
})

test('a repeat under one key is taken once', async () => {
  const path = '/v1/pipelines/orders/ingress/orders?updateFormat=insert_delete'
  const key = { 'idempotency-key': 'once' }
  const body = '{"insert":{"id":70000}}'
  const [first, second] = [await ask('POST', path, body, key), await ask('POST', path, body, key)]
  expect(first).toMatchObject({ status: 200, text: '{"rows":1}' })
  expect(second).toEqual(first)
  const before = json(await ask('GET', '/v1/pipelines/orders/stats'))
  await ask('POST', path, body, key)
  expect(json(await ask('GET', '/v1/pipelines/orders/stats'))).toEqual(before)
  expect((await ask('POST', path, '{"insert":{"id":70001}}', key)).status).toBe(422)
})

test('who listens is told each change, and the request ends in the machine when they leave', async () => {
  const listening = new AbortController()
  const answer = await fetch(`${installation.url}/v1/pipelines/orders/egress/n?snapshot=false`, {
    method: 'POST',
    headers: { authorization: `Bearer ${installation.token}` },
    signal: listening.signal,
  })
  expect(answer.status).toBe(200)
  await ask('POST', '/v1/pipelines/orders/ingress/orders', '{"id":80000}')
  let told = ''
  for await (const piece of answer.body ?? []) {
    told += Buffer.from(piece).toString()
    if (told.includes('"insert"') && told.includes('"delete"')) break
  }
  listening.abort()
  // Eight at a time are served: were those of who left still open, the ninth would be refused.
  for (let index = 0; index < 12; index += 1) {
    const leaving = new AbortController()
    const opened = await fetch(`${installation.url}/v1/pipelines/orders/egress/n`, {
      method: 'POST',
      headers: { authorization: `Bearer ${installation.token}` },
      signal: leaving.signal,
    })
    expect(opened.status).toBe(200)
    leaving.abort()
    await eventually(
      async () => ((await ask('GET', '/v1/pipelines/orders/stats')).status === 200 ? true : null),
      patience,
    )
  }
})

test('a pipeline that does not run, an unknown table and what is too large are refused, in either interface', async () => {
  const resting = await ask('GET', '/v1/pipelines/resting/query?sql=SELECT%201')
  expect(resting.status).toBe(409)
  expect(json(resting)).toMatchObject({ error: { facts: { refusal: 'not_provisioned' } } })
  expect((await ask('POST', '/v1/pipelines/orders/ingress/nothing', '{"id":1}')).status).toBe(404)
  expect((await ask('POST', '/v1/pipelines/orders/ingress/..%2Fcheckpoint', '{}')).status).toBe(404)
  expect((await ask('GET', '/v1/pipelines/orders/query?sql=DELETE%20FROM%20orders')).status).toBe(400)
  const large = 'x'.repeat(1_048_577)
  expect((await ask('POST', '/v1/pipelines/orders/ingress/orders', large)).status).toBe(413)
  expect(
    (await ask('GET', `/v1/pipelines/orders/query?sql=${'x'.repeat(16_385)}`)).status,
  ).toBeGreaterThanOrEqual(400)
  for (const [method, path] of [
    ['GET', 'query?sql=SELECT%201'],
    ['POST', 'ingress/orders?format=json&force=false'],
    ['POST', 'egress/n?format=json'],
    ['POST', 'checkpoint'],
    ['GET', 'stats'],
  ] as const) {
    const refused = await ask(method, `/v0/pipelines/resting/${path}`, method === 'GET' ? undefined : '')
    expect([refused.status, json(refused).error_code], path).toEqual([503, 'PipelineInteractionNotDeployed'])
    const unknown = await ask(method, `/v0/pipelines/nobody/${path}`, method === 'GET' ? undefined : '')
    expect([unknown.status, json(unknown).error_code], path).toEqual([404, 'UnknownPipelineName'])
  }
})

test('over the dialect rows go in, are asked for, counted and stored', async () => {
  const ingress =
    '/v0/pipelines/orders/ingress/orders?format=json&update_format=insert_delete&array=true&force=false'
  expect(
    (await ask('POST', ingress, '[{"insert":{"id":90000}}]', { 'content-type': 'application/json' })).status,
  ).toBe(200)
  const query = await ask(
    'GET',
    '/v0/pipelines/orders/query?format=json&sql=SELECT%20id%20FROM%20orders%20WHERE%20id=90000',
  )
  expect(query).toMatchObject({ status: 200, type: 'application/json', text: '{"id": 90000}\n' })
  expect(json(await ask('GET', '/v0/pipelines/orders/stats'))).toMatchObject({
    global_metrics: { state: 'running', total_processed_records: expect.any(Number) },
  })
  expect((await ask('POST', '/v0/pipelines/orders/checkpoint', '')).status).toBe(200)
  const faulty = await ask('GET', '/v0/pipelines/orders/query?format=json&sql=SELECT%20x')
  expect([faulty.status, json(faulty).error_code]).toEqual([400, 'InvalidRequest'])
  expect((await ask('POST', '/v0/pipelines/orders/checkpoint/sync', '')).status).toBe(501)
})

test('a program that is gone is told from one that was stopped', async () => {
  await run.kill()
  const gone = await ask('GET', '/v0/pipelines/orders/query?format=json&sql=SELECT%201')
  expect([gone.status, json(gone).error_code]).toEqual([503, 'PipelineInteractionUnreachable'])
  expect((await ask('GET', '/v1/pipelines/orders/stats')).status).toBe(503)
})
