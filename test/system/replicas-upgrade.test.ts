import { readFileSync } from 'node:fs'
import { migrate } from '@hearth/control-plane'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimSteadily, machinesOf, summaryOf } from './claimants.ts'
import { untilPool } from './following.ts'
import { newerMigrations } from './newer-migrations.ts'
import { type Replicas, startReplicas } from './replicas.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let replicas: Replicas
let agent: SyntheticAgent
let pool: string

beforeAll(async () => {
  replicas = await startReplicas(2, { HEARTH_DRAIN_SECONDS: '1' })
  agent = await startSyntheticAgent(replicas, { name: 'north' })
  const declaration = { apiVersion: 'hearth/v1' as const, name: 'upgraded', warmPools: [{ min: 10 }] }
  const { warmPools } = await replicas.client.apply(declaration)
  pool = warmPools[0]?.id ?? ''
  await untilPool(replicas.client, pool, ({ status }) => status.ready >= 10)
}, 180_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await replicas?.[Symbol.asyncDispose]()
})

const log = (index: number) => readFileSync(replicas.logOf(index), 'utf8')

async function countOf(statement: string): Promise<number> {
  const client = new Client({ connectionString: replicas.database.url })
  await client.connect()
  try {
    return Number((await client.query({ text: statement, rowMode: 'array' })).rows[0]?.[0])
  } finally {
    await client.end()
  }
}

test('two replicas that start at once on an empty database: one migrates it, both come up, one administrator', async () => {
  const migrated = [0, 1].filter((index) => log(index).includes('migrated the database'))
  expect(migrated).toHaveLength(1)
  expect(await countOf('SELECT count(*) FROM organizations')).toBe(1)
  expect(await countOf("SELECT count(*) FROM tokens WHERE name = 'bootstrap'")).toBe(1)
})

test('a replica that is told to end reports that it is not ready, finishes its requests, and hands its work over', async () => {
  const [first] = replicas.replicas
  const url = first?.url ?? ''
  const headers = { Authorization: `Bearer ${replicas.token}` }
  const stream = await fetch(`${url}/v1/events`, { headers: { ...headers, Accept: 'text/event-stream' } })
  const ended = first?.terminate()
  // It is not ready first and still answers, so that load balancers have time to switch to another replica.
  await expect.poll(async () => (await fetch(`${url}/healthz/ready`)).status, { interval: 20 }).toBe(503)
  const answer = await fetch(`${url}/v1/whoami`, { headers })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('connection')).toBe('close')
  expect(await stream.text()).toContain('retry: 100')
  expect(await ended).toBe(0)
  const left =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'replica-0' AND datname = current_database()"
  expect(await countOf(left)).toBe(0)
  const locked =
    "SELECT count(*) FROM graphile_worker.jobs WHERE locked_at IS NOT NULL AND locked_at < now() - interval '1 second'"
  expect(await countOf(locked)).toBe(0)
  await first?.start()
}, 60_000)

test('a rolling upgrade under steady claims: no claim fails, observers miss nothing', async () => {
  const ended = new AbortController()
  const clients = [replicas.newClient(), replicas.newClient()]
  const positions: number[] = []
  const observe = async () => {
    const opened = replicas.newClient().events.follow({ signal: ended.signal })
    for await (const { position } of opened) positions.push(position)
  }
  const observing = observe()
  const claiming = claimSteadily(clients, pool, 200, ended.signal)
  const untilMoreHappened = async () => {
    const seen = positions.length
    await expect.poll(() => positions.length, { timeout: 30_000 }).toBeGreaterThan(seen + 100)
  }
  await untilMoreHappened()
  // The newer version brings its own schema, on which the older one goes on.
  expect((await migrate(replicas.database.url, newerMigrations)).applied).toEqual(['9999-later'])
  for (const replica of replicas.replicas) {
    expect(await replica.terminate()).toBe(0)
    await replica.start()
    await untilMoreHappened()
  }
  ended.abort()
  const claimed = await claiming
  await observing
  console.info(summaryOf(claimed))
  expect(claimed.failures).toEqual([])
  expect(claimed.claims.length).toBeGreaterThan(10)
  const machines = await machinesOf(replicas.client, claimed.claims)
  expect(new Set(machines).size).toBe(machines.length)
  // The pool's organization has no other events, so all its positions are seen.
  expect(positions.length).toBeGreaterThan(claimed.claims.length)
  expect(positions).toEqual(positions.map((_, index) => (positions[0] ?? 0) + index))
  for (const index of [0, 1]) expect(log(index)).toContain('the database schema is newer than this version')
  await untilPool(replicas.client, pool, ({ status }) => status.ready === 10 && status.provisioning === 0)
}, 120_000)

test('a control plane with another encryption key does not start', async () => {
  const odd = await replicas.another({ HEARTH_ENCRYPTION_KEY_FILE: `${replicas.folder}/other.key` })
  await expect(odd.start()).rejects.toThrow('it ended with 1')
  expect(log(2)).toContain('the encryption key is not the one this database was written with')
})
