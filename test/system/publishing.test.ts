import { advisoryLocks } from '@hearth/control-plane'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilPool } from './following.ts'
import { housekeeping } from './housekeeping.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
let database: pg.Client

beforeAll(async () => {
  // So long that publishing depends on notifications alone.
  installation = await startInstallation({ overrides: { timings: { publisherRest: 600_000 } } })
  agent = await startSyntheticAgent(installation, { name: 'north' })
  database = new pg.Client({ connectionString: installation.database.url })
  await database.connect()
}, 60_000)
afterAll(async () => {
  await database?.end()
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

async function number(statement: string): Promise<number> {
  return Number((await database.query({ text: statement, rowMode: 'array' })).rows[0]?.[0])
}
const newest = () => number('SELECT max(position) FROM events')
const published = () => number('SELECT position FROM event_publication')
const ordersWaiting = () => number('SELECT count(*) FROM outbox')
const untilAllPublished = () =>
  expect.poll(async () => (await newest()) - (await published()), { timeout: 10_000 }).toBe(0)

/**
 * Takes a publisher's lock as another replica in the middle of a round would; returns a function that ends that
 * round.
 */
async function takeLock(lock: number): Promise<() => Promise<unknown>> {
  await database.query('BEGIN')
  await database.query('SELECT pg_advisory_xact_lock($1)', [lock])
  return () => database.query('COMMIT')
}

async function makePool(name: string): Promise<string> {
  const { warmPools } = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name,
    warmPools: [{ min: 1 }],
  })
  return warmPools[0]?.id ?? ''
}

test('orders do not wait for events that cannot be published', async () => {
  await untilAllPublished()
  const release = await takeLock(advisoryLocks.events)
  const before = await published()
  const pool = await makePool('hurried')
  await untilPool(installation.client, pool, ({ status }) => status.phase === 'ready')
  expect(await published()).toBe(before)
  expect(await newest()).toBeGreaterThan(before)
  await release()
  const after = await makePool('after')
  await untilPool(installation.client, after, ({ status }) => status.phase === 'ready')
  await untilAllPublished()
})

test('events that are too many for one transaction are published by the next one at once', async () => {
  const count = 10_000
  const { organizationId } = await installation.client.whoami()
  await database.query(
    `INSERT INTO events (id, organization_id, verb, kind, resource_id, resource)
      SELECT gen_random_uuid(), $1, 'updated', 'Project', gen_random_uuid(), '{}' FROM generate_series(1, $2)`,
    [organizationId, count],
  )
  const unplaced = () => number('SELECT count(*) FROM events WHERE position IS NULL')
  await expect.poll(unplaced, { timeout: 20_000 }).toBe(0)
  expect(await newest()).toBeGreaterThan(count)
  await untilAllPublished()
})

test('publishing keeps one checkpoint a second, and deletes the oldest of very many', async () => {
  const newestCheckpoint = () =>
    number(
      'SELECT max(position) FROM event_checkpoints WHERE sequence = (SELECT max(sequence) FROM event_checkpoints)',
    )
  await makePool('checkpointed')
  await untilAllPublished()
  await expect.poll(async () => (await newestCheckpoint()) === (await published())).toBe(true)
  const crowded = await number(`
    SELECT count(*) FROM (
      SELECT created_at - lag(created_at) OVER (ORDER BY sequence) AS pause,
        lead(sequence) OVER (ORDER BY sequence) AS next
      FROM event_checkpoints
    ) AS pauses WHERE pause < interval '1 second' AND next IS NOT NULL`)
  expect(crowded).toBe(0)

  await database.query(
    `INSERT INTO event_checkpoints (sequence, event_id, position, created_at)
      SELECT -number, gen_random_uuid(), 0, now() - number * interval '1 second' FROM generate_series(1, 10100) AS number`,
  )
  const last = await number('SELECT max(sequence) FROM event_checkpoints')
  await housekeeping(installation)
  // Later rounds leave checkpoints too: before the oldest are deleted, or after.
  const kept = await number(`SELECT count(*) FROM event_checkpoints WHERE sequence <= ${last}`)
  expect(kept).toBeLessThanOrEqual(10_000)
  expect(kept).toBeGreaterThan(9_980)
  await untilAllPublished()
  await expect.poll(async () => (await newestCheckpoint()) === (await published())).toBe(true)
})

test('nothing is published while a replica of the previous version publishes, and everything afterwards', async () => {
  await untilAllPublished()
  const release = await takeLock(advisoryLocks.publisher)
  const before = await published()
  const pools = await Promise.all(['a', 'b', 'c'].map((name) => makePool(`upgraded-${name}`)))
  await expect.poll(ordersWaiting).toBe(pools.length)
  await expect.poll(newest).toBeGreaterThan(before)
  // Each of these notifies the publisher, which tries every time.
  for (let round = 0; round < 20; round += 1)
    await installation.client.projects.update('upgraded-a', { labels: { round: String(round) } })
  expect(await ordersWaiting()).toBe(pools.length)
  expect(await published()).toBe(before)
  await release()
  pools.push(await makePool('upgraded-d'))
  for (const pool of pools)
    await untilPool(installation.client, pool, ({ status }) => status.phase === 'ready')
  await untilAllPublished()
  expect(await ordersWaiting()).toBe(0)
})
