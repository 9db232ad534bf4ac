import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { until, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Pools whose members wait at rest, and that follow their claims: each test goes on where the one before ended. */
let installation: Installation
let agent: SyntheticAgent
let poolId: string
const publicKey = newPublicKey()

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    environment: { HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '5', HEARTH_SYNTHETIC_FREEZE_MILLISECONDS: '5' },
  })
  const applied = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    warmPools: [{ min: 3, running: 1 }],
  })
  poolId = applied.warmPools[0]?.id ?? ''
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)
const claim = (fallback: 'cold' | 'refuse') =>
  installation.client.claims.create({ spec: { warmPoolId: poolId, fallback, publicKey } })
const bound = (id: string) =>
  until(
    installation.client,
    `claim ${id}`,
    () => installation.client.claims.get(id),
    ({ status }) => status.phase === 'bound',
  )

/** The pool, once it has so many of each. */
const settled = (wanted: { ready: number; suspended: number }) =>
  untilPool(
    installation.client,
    poolId,
    ({ status }) =>
      status.ready === wanted.ready && status.suspended === wanted.suspended && status.provisioning === 0,
  )

test('of a pool’s members as many run as it says, and the others are suspended', async () => {
  const pool = await untilPool(
    installation.client,
    poolId,
    ({ status }) => status.ready === 1 && status.suspended === 2,
  )
  expect(pool.status).toMatchObject({ phase: 'ready', ready: 1, suspended: 2, stopped: 0, desiredSize: 3 })
  const instances = await installation.client.warmPools.instances(poolId).listAll({})
  expect(instances.map(({ state }) => state).toSorted()).toEqual(['ready', 'suspended', 'suspended'])
  const shown = (await hearth('pool', 'show', 'shop')).stdout
  expect(shown).toMatch(/^At rest: +2 suspended$/m)
  expect(shown).toMatch(/^running +1 +2 GiB/m)
  expect(shown).toMatch(/^suspended +2 +0 GiB/m)
  expect((await hearth('why', 'pool', poolId)).stdout).toMatch(/1 of 3 are ready, 2 suspended/)
})

test('a claim takes one that runs, the next a suspended one, which is resumed', async () => {
  const first = await claim('refuse')
  expect(first.status).toMatchObject({ phase: 'bound', source: 'running' })
  // Before the pool has woken another.
  const second = await claim('refuse')
  const third = await claim('refuse')
  for (const { metadata } of [second, third]) {
    const seen = await bound(metadata.id)
    expect(seen.status.source).toMatch(/^(running|suspended)$/)
  }
  const sources = [second, third].map(({ status }) => status.source)
  expect(sources).toContain('suspended')
  const suspended = [second, third].find(({ status }) => status.source === 'suspended')
  expect((await hearth('why', 'claim', suspended?.metadata.id ?? '')).stdout).toMatch(
    /an environment that was suspended, because none that ran was left/,
  )
  await settled({ ready: 1, suspended: 2 })
  for (const { metadata } of [first, second, third]) await installation.client.claims.release(metadata.id)
})

test('members at rest may be stopped instead, and run again when all shall run', async () => {
  expect(await hearth('pool', 'set', 'shop', '--rest', 'stopped', '--size', '2')).toMatchObject({ status: 0 })
  await untilPool(
    installation.client,
    poolId,
    ({ status }) => status.ready === 1 && status.provisioning === 0,
  )
  expect(await hearth('pool', 'set', 'shop', '--no-running')).toMatchObject({ status: 0 })
  await untilPool(
    installation.client,
    poolId,
    ({ status }) => status.ready === 2 && status.suspended === 0 && status.stopped === 0,
  )
})

test('sizes that contradict each other are refused by field and limit, and nothing is changed', async () => {
  const before = await installation.client.warmPools.get(poolId)
  const min = await hearth('pool', 'set', 'shop', '--size', '5', '--max', '3')
  expect(min).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/spec\.min.*5.*at most max, which is 3/) as string,
  })
  const running = await hearth('pool', 'set', 'shop', '--max', '3', '--running', '4')
  expect(running).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/spec\.running.*4.*at most max, which is 3/) as string,
  })
  const overlapping = installation.client.warmPools.update(poolId, {
    spec: { schedules: [{ cron: '0 8 * * *', minutes: 1_500, min: 5 }] },
  })
  await expect(overlapping).rejects.toThrow(/schedules.*overlap itself/)
  expect((await installation.client.warmPools.get(poolId)).specVersion).toBe(before.specVersion)
})

test('a pool that follows its claims grows with those it had to refuse', async () => {
  expect(await hearth('pool', 'set', 'shop', '--size', '1', '--max', '6')).toMatchObject({ status: 0 })
  await untilPool(installation.client, poolId, ({ status }) => status.desiredSize === 3 && status.ready === 3)
  // The three claims of before are what it expects.
  const asked = await Promise.allSettled(Array.from({ length: 8 }, () => claim('refuse')))
  expect(asked.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0)
  const grown = await untilPool(installation.client, poolId, ({ status }) => status.desiredSize === 6)
  expect(grown.status.scaling).toMatchObject({ burst: expect.any(Number) as number })
  expect((await hearth('why', 'pool', poolId)).stdout).toMatch(/it wants 6 \(1 to 6\), because/)
  await untilPool(installation.client, poolId, ({ status }) => status.ready === 6)
})
