import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hearth } from '../system/command.ts'
import { type HardwareAgent, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'

/** A pipeline of the toolchain `sql` in real guests: what it was sent is there on whichever machine it runs. */
const folder = mkdtempSync(join(tmpdir(), 'hearth-pipelines-'))
const program = join(folder, 'orders.sql')
let host: HardwareHost
let agent: HardwareAgent
let client: HearthClient

beforeAll(async () => {
  host = await startHost()
  ;({ client } = host)
  await offerImage(host.imagesFolder, 'debian-12-web')
  agent = await host.startAgent('pipelines')
  await client.environmentClasses.create({
    name: 'web',
    labels: {},
    spec: { virtualCpus: 2, memoryMebibytes: 1_024, diskGibibytes: 4, image: 'debian-12-web' },
  })
  writeFileSync(
    program,
    `CREATE TABLE orders (id INT NOT NULL PRIMARY KEY, customer VARCHAR(20), total DOUBLE);
CREATE VIEW spent AS SELECT customer, count(*) AS n, sum(total) AS total FROM orders GROUP BY customer;
`,
  )
}, 600_000)
afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function run(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await hearth(host.installation, 'pipeline', ...words)
  if (status !== 0) throw new Error(`hearth pipeline ${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}
async function rows(sql: string): Promise<unknown[]> {
  const text = await run('query', 'orders', sql, '--format', 'json')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
const machine = async () => (await client.pipelines.get('orders')).status.deployment?.environmentId ?? null
const total = 'SELECT count(*) AS n, sum(total) AS total FROM orders'
const all = [{ n: 10_000, total: 20_000 }]

it('one is compiled, runs, takes 10,000 rows, and is queried', async () => {
  await run('create', 'orders', program, '--class', 'web', '--storage', '256MiB')
  await run('start', 'orders')
  const sent = Array.from({ length: 10_000 }, (_, id) =>
    JSON.stringify({ id, customer: `c${id % 10}`, total: 2 }),
  )
  expect(await client.pipelines.send('orders', 'orders', Buffer.from(sent.join('\n')))).toEqual({
    rows: 10_000,
  })
  expect(await rows(total)).toEqual(all)
  expect(await rows(`SELECT n, total FROM spent WHERE customer = 'c3'`)).toEqual([{ n: 1_000, total: 2_000 }])
  expect(await run('logs', 'orders')).toContain('"status": "running"')
})

it('it is paused, and takes no rows; resumed, it does', async () => {
  await run('pause', 'orders')
  const row = Buffer.from('{"id":-1,"customer":"late","total":1}')
  await expect(client.pipelines.send('orders', 'orders', row)).rejects.toThrow('the pipeline is paused')
  expect(await rows(total)).toEqual(all)
  await run('resume', 'orders')
  expect(await client.pipelines.send('orders', 'orders', row)).toEqual({ rows: 1 })
  const removed = Buffer.from('{"delete":{"id":-1}}')
  expect(await client.pipelines.send('orders', 'orders', removed, { updateFormat: 'insert_delete' })).toEqual(
    { rows: 1 },
  )
})

it('suspended, its host’s agent killed, and started again, it has the same rows on a fresh machine', async () => {
  const before = await machine()
  await run('stop', 'orders')
  expect(await machine()).toBeNull()
  await agent.process.kill()
  await agent.process.start()
  await run('start', 'orders')
  expect(await machine()).not.toBe(before)
  expect(await rows(total)).toEqual(all)
  const statuses = (await client.pipelines.events('orders', 720)).map(({ runtimeStatus }) => runtimeStatus)
  expect(statuses).toEqual(expect.arrayContaining(['initializing', 'running', 'paused', 'suspended']))
})

it('cleared, it has none', async () => {
  await run('stop', 'orders', '--force')
  await run('clear', 'orders')
  await run('start', 'orders')
  expect(await rows(total)).toEqual([{ n: 0, total: null }])
  await run('stop', 'orders', '--force')
  await run('clear', 'orders')
  await run('delete', 'orders')
})
