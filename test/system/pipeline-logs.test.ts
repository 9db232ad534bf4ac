import type { HearthClient } from '@hearth/client'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** What the machines of a pipeline print, in either interface, of one that was made for it as its reconciler makes them. */
let installation: Installation
let agent: SyntheticAgent
let client: HearthClient
let sql: pg.Client
let machine: string

beforeAll(async () => {
  installation = await startInstallation()
  ;({ client } = installation)
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  const { metadata } = await client.pipelines.create({ name: 'ticks', spec: { program: { code: 'x' } } })
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'shop' })
  const spec = { projectId, environmentClassId: (await client.environmentClasses.get('small')).metadata.id }
  machine = (await client.environments.create({ name: 'machine', spec })).metadata.id
  await untilEnvironment(client, machine, ({ status }) => status.phase === 'running')
  await sql.query(`UPDATE environments SET owner_kind = 'pipeline', owner_id = $1 WHERE id = $2`, [
    metadata.id,
    machine,
  ])
  await sql.query(
    `UPDATE pipelines SET resources = 'provisioned', desired = 'provisioned', runtime = 'running', phase = 'running',
       program = 'success' WHERE name = 'ticks'`,
  )
}, 60_000)
afterAll(async () => {
  await sql?.end()
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

/** What is printed, in the order in which it comes. */
function reading(follow: boolean) {
  const read = { text: '' }
  const whole = async () => {
    const signal = AbortSignal.timeout(60_000)
    for await (const chunk of client.pipelines.logs('ticks', { follow, signal })) read.text += chunk.text
    return read.text
  }
  return { read, whole: whole() }
}

test('what is there is read, then what comes, until the machine is gone and the pipeline at rest', async () => {
  const command = ['# simulated: after 0.1 print first', '# simulated: after 1 print second'].join('\n')
  const { metadata } = await client.services.create({
    name: 'ticks',
    spec: { environment: machine, command, readiness: { kind: 'log', contains: 'first' } },
  })
  await until(
    client,
    'the service',
    () => client.services.get(metadata.id),
    ({ status }) => status.phase === 'running',
  )
  expect(await reading(false).whole).toMatch(/^first\n/)
  const following = reading(true)
  const answer = await fetch(`${installation.url}/v0/pipelines/ticks/logs`, {
    headers: { authorization: `Bearer ${installation.token}` },
  })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
  const text = answer.text()
  await eventually(async () => (following.read.text.includes('second') ? true : null), {
    timeoutMilliseconds: 30_000,
  })
  await client.environments.delete(machine)
  await untilEnvironment(client, machine, ({ status }) => status.phase === 'deleted')
  await client.pipelines.update('ticks', { labels: { at: 'work' } })
  await sql.query(
    `UPDATE pipelines SET resources = 'stopped', desired = 'stopped', runtime = NULL, phase = 'stopped'
     WHERE name = 'ticks'`,
  )
  await client.pipelines.update('ticks', { labels: { at: 'rest' } })
  expect(await following.whole).toBe('first\nsecond\n')
  expect(await text).toBe('first\nsecond\n')
  expect(await reading(false).whole).toBe('first\nsecond\n')
})

test('one that never had a machine has printed nothing', async () => {
  await client.pipelines.create({ name: 'new', spec: { program: { code: 'x' } } })
  await sql.query(`UPDATE pipelines SET program = 'success' WHERE name = 'new'`)
  const answer = await fetch(`${installation.url}/v0/pipelines/new/logs`, {
    headers: { authorization: `Bearer ${installation.token}` },
  })
  expect([answer.status, await answer.text()]).toEqual([200, ''])
})
