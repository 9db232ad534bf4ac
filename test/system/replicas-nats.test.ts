import { setTimeout as delay } from 'node:timers/promises'
import { streams } from '@hearth/contract'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimSteadily, machinesOf, summaryOf } from './claimants.ts'
import { untilPool } from './following.ts'
import { expectAllPublished } from './published-events.ts'
import { type Replicas, startReplicas } from './replicas.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

const min = 10
/** Streams whose leaders are killed one after another; a longer run covers all streams. */
const led = [streams.report, streams.work, streams.event, streams.log]
const kills = Number(process.env.HEARTH_TEST_SECONDS ?? 12) >= 60 ? led.length : 2
const downMilliseconds = 3_000

let replicas: Replicas
let agent: SyntheticAgent
let database: Client

beforeAll(async () => {
  replicas = await startReplicas(2)
  database = new Client({ connectionString: replicas.database.url })
  await database.connect()
  agent = await startSyntheticAgent(replicas, { name: 'north' })
}, 180_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await database?.end()
  await replicas?.[Symbol.asyncDispose]()
})

test('the NATS server that leads a stream killed while pools fill and claims go on: nothing is lost', async () => {
  const { client, nats } = replicas
  const declaration = { apiVersion: 'hearth/v1' as const, name: 'led', setup: ['make'], warmPools: [{ min }] }
  const { warmPools } = await client.apply(declaration)
  const pool = warmPools[0]?.id ?? ''
  const ended = new AbortController()
  const claiming = claimSteadily([replicas.newClient(), replicas.newClient()], pool, 400, ended.signal)
  for (const stream of led.slice(0, kills)) {
    await nats.untilWhole()
    const leader = await nats.leaderOf(stream)
    await nats.kill(leader)
    await delay(downMilliseconds)
    await nats.start(leader)
  }
  await nats.untilWhole()
  ended.abort()
  const claimed = await claiming
  console.info(`${kills} leaders killed: ${summaryOf(claimed)}`)
  expect(claimed.failures).toEqual([])
  const machines = await machinesOf(client, claimed.claims)
  expect(new Set(machines).size).toBe(claimed.claims.length)
  // Every order was carried out and every report processed: nothing waits for a lost message.
  await untilPool(client, pool, ({ status }) => status.ready === min && status.provisioning === 0)
  await expectAllPublished(replicas, database)
}, 300_000)
