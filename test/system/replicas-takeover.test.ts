import { setTimeout as delay } from 'node:timers/promises'
import { advisoryLocks } from '@hearth/control-plane'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilPool } from './following.ts'
import { expectAllPublished } from './published-events.ts'
import { type Replicas, startReplicas } from './replicas.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

const min = 10

let replicas: Replicas
let agent: SyntheticAgent
let database: Client

beforeAll(async () => {
  replicas = await startReplicas(2)
  database = new Client({ connectionString: replicas.database.url })
  await database.connect()
}, 180_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await database?.end()
  await replicas?.[Symbol.asyncDispose]()
})

async function rows(statement: string): Promise<unknown[]> {
  return (await database.query({ text: statement, rowMode: 'array' })).rows.flat()
}

/** The replica that is publishing events at this moment. */
async function publisher(): Promise<number | undefined> {
  const [name] = await rows(`
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND objid = ${advisoryLocks.events} AND granted
      AND pg_stat_activity.datname = current_database()`)
  return typeof name === 'string' ? Number(name.replace('replica-', '')) : undefined
}

/** Writes events until stopped, so that there is always something to publish; returns the function that stops it. */
function keepBusy(): () => Promise<void> {
  const ended = new AbortController()
  const write = async () => {
    const client = replicas.newClient()
    for (let round = 0; !ended.signal.aborted; round++) {
      const options = { signal: ended.signal }
      await client.projects
        .update('busy', { labels: { round: String(round) } }, options)
        .catch(() => undefined)
    }
  }
  const writing = Promise.all([write(), write()])
  return async () => {
    ended.abort()
    await writing
  }
}

/** Halts a replica in the middle of publishing, while it holds the lock. */
async function haltPublisher(): Promise<number> {
  for (;;) {
    const holder = await publisher()
    if (holder === undefined) continue
    replicas.replicas[holder]?.signal('SIGSTOP')
    // What it had already sent may have ended its transaction.
    await delay(200)
    if ((await publisher()) === holder) return holder
    replicas.replicas[holder]?.signal('SIGCONT')
  }
}

test('a replica that is halted while it publishes is replaced within seconds, and does no harm when it continues', async () => {
  await replicas.client.apply({ apiVersion: 'hearth/v1', name: 'busy' })
  const stop = keepBusy()
  const holder = await haltPublisher()
  const halted = performance.now()
  const other = replicas.replicas[1 - holder]
  await expect.poll(publisher, { timeout: 20_000, interval: 5 }).toBe(1 - holder)
  const seconds = (performance.now() - halted) / 1_000
  console.info(`halted while publishing: another went on after ${seconds.toFixed(1)} s`)
  expect(seconds).toBeLessThan(15)
  // Other work goes on too while one of two replicas is halted: an agent registers and a pool fills.
  agent = await startSyntheticAgent(replicas, { name: 'north' })
  const declaration = { apiVersion: 'hearth/v1' as const, name: 'filled', warmPools: [{ min }] }
  const { warmPools } = await replicas.client.apply(declaration)
  await untilPool(replicas.client, warmPools[0]?.id ?? '', ({ status }) => status.ready === min)
  replicas.replicas[holder]?.signal('SIGCONT')
  const ready = async (url: string) => (await fetch(`${url}/healthz/ready`)).status
  await expect.poll(() => ready(replicas.replicas[holder]?.url ?? ''), { timeout: 20_000 }).toBe(200)
  expect(await ready(other?.url ?? '')).toBe(200)
  await stop()
  // Each event once, in the order of the table: no two publishers were active at the same time.
  await expectAllPublished(replicas, database)
}, 180_000)

test('a replica killed while it publishes is replaced at once', async () => {
  const stop = keepBusy()
  const holder = await haltPublisher()
  const replica = replicas.replicas[holder]
  const killed = performance.now()
  await replica?.kill()
  await expect.poll(publisher, { timeout: 20_000, interval: 5 }).toBe(1 - holder)
  const seconds = (performance.now() - killed) / 1_000
  console.info(`killed while publishing: another went on after ${seconds.toFixed(1)} s`)
  expect(seconds).toBeLessThan(5)
  await replica?.start()
  await stop()
  await expectAllPublished(replicas, database)
}, 60_000)
