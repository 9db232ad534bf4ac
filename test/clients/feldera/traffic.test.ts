import { afterAll, beforeAll, expect, test } from 'vitest'
import { asJson as json, startTraffic, type TrafficWorld } from '../../system/pipeline-traffic-world.ts'

/** What goes into a pipeline and comes out of it, as clients of the other system ask. */
let world: TrafficWorld
let ask: TrafficWorld['ask']
beforeAll(async () => {
  world = await startTraffic()
  ;({ ask } = world)
}, 90_000)
afterAll(() => world?.[Symbol.asyncDispose]())

test('one that does not run, and one that is not there, are refused by their codes', async () => {
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
  await world.run.kill()
  const gone = await ask('GET', '/v0/pipelines/orders/query?format=json&sql=SELECT%201')
  expect([gone.status, json(gone).error_code]).toEqual([503, 'PipelineInteractionUnreachable'])
})

test('what it prints is text: what there is, then what comes, until it is at rest', async () => {
  const { client } = world.installation
  const following = ask('GET', '/v0/pipelines/orders/logs')
  await client.pipelines.stop('orders', { force: true })
  const followed = await following
  expect(followed).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' })
  expect(followed.text).toContain('hearth-pipeline: {"status":"running"')
  expect(await ask('GET', '/v0/pipelines/orders/logs')).toEqual(followed)
  expect(await ask('GET', '/v0/pipelines/resting/logs')).toMatchObject({ status: 200, text: '' })
})
