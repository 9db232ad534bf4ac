import type { HearthClient } from '@hearth/client'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Installation } from './installation.ts'
import { asJson as json, startTraffic, type TrafficWorld } from './pipeline-traffic-world.ts'

/** Rows into and out of a pipeline, through the control plane and the agent, to the toolchain `sql` with real processes. */
const patience = { timeoutMilliseconds: 20_000 }
let world: TrafficWorld
let installation: Installation
let client: HearthClient
let ask: TrafficWorld['ask']

beforeAll(async () => {
  world = await startTraffic()
  ;({ installation, ask } = world)
  ;({ client } = installation)
}, 90_000)
afterAll(() => world?.[Symbol.asyncDispose]())

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

test('a pipeline that does not run, an unknown table and what is too large are refused', async () => {
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
})

test('a program that is gone is told from one that was stopped', async () => {
  await world.run.kill()
  const gone = await ask('GET', '/v1/pipelines/orders/stats')
  expect([gone.status, json(gone)]).toMatchObject([503, { error: { code: 'unavailable' } }])
})
