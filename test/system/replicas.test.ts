import { setTimeout as delay } from 'node:timers/promises'
import { HearthClient } from '@hearth/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimSteadily, machinesOf, summaryOf } from './claimants.ts'
import { untilPool } from './following.ts'
import { type Replicas, startReplicas } from './replicas.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** 60 is the reported run; a shorter one is for every day. */
const seconds = Number(process.env.HEARTH_TEST_SECONDS ?? 12)
const killEveryMilliseconds = 5_000
const callers = 3
const pauseMilliseconds = 250
const min = 20

let replicas: Replicas
let agent: SyntheticAgent

beforeAll(async () => {
  replicas = await startReplicas(2)
  agent = await startSyntheticAgent(replicas, { name: 'north' })
}, 180_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await replicas?.[Symbol.asyncDispose]()
})

/** How often a caller fails that knows one control plane only and does not retry. */
async function turnedAway(url: string, signal: AbortSignal): Promise<number> {
  const client = new HearthClient({ url, token: replicas.token, retries: 0 })
  let failures = 0
  while (!signal.aborted) {
    await client.whoami().catch(() => {
      failures += 1
    })
    await delay(50)
  }
  return failures
}

async function poolOf(name: string): Promise<string> {
  const { warmPools } = await replicas.client.apply({
    apiVersion: 'hearth/v1',
    name,
    setup: ['make'],
    warmPools: [{ min }],
  })
  const id = warmPools[0]?.id ?? ''
  await untilPool(replicas.client, id, ({ status }) => status.ready >= min)
  return id
}

test('two control planes under steady claims, one killed every 5 s: no claim fails, no machine is given twice', async () => {
  const pool = await poolOf('killed')
  const ended = new AbortController()
  const clients = Array.from({ length: callers }, () => replicas.newClient())
  const claiming = claimSteadily(clients, pool, pauseMilliseconds, ended.signal)
  const feeling = turnedAway(replicas.replicas[0]?.url ?? '', ended.signal)
  const end = performance.now() + seconds * 1_000
  let kills = 0
  for (; performance.now() + killEveryMilliseconds < end; kills += 1) {
    const next = performance.now() + killEveryMilliseconds
    const replica = replicas.replicas[kills % 2]
    await replica?.kill()
    await replica?.start()
    await delay(Math.max(0, next - performance.now()))
  }
  ended.abort()
  const claimed = await claiming
  console.info(`${kills} kills in ${seconds} s: ${summaryOf(claimed)}`)
  expect(claimed.failures).toEqual([])
  // Callers without another replica noticed the kills.
  expect(await feeling).toBeGreaterThan(0)
  expect(claimed.claims.length).toBeGreaterThan(seconds)
  const machines = await machinesOf(replicas.client, claimed.claims)
  expect(new Set(machines).size).toBe(claimed.claims.length)
  // A claim whose answer was lost was returned again under its key: no claim was made twice.
  expect(await replicas.client.claims.listAll({})).toHaveLength(claimed.claims.length)
  await untilPool(replicas.client, pool, ({ status }) => status.ready === min && status.provisioning === 0)
}, 600_000)
