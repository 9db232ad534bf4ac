import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { until, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** A pool on a host with the memory for two of its four members: each test goes on where the one before ended. */
let installation: Installation
let agent: SyntheticAgent
let poolId: string
const publicKey = newPublicKey()
const memoryMebibytes = 2_048

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    environment: {
      HEARTH_CAPACITY_MEMORY_MEBIBYTES: String(2 * memoryMebibytes),
      HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '5',
      HEARTH_SYNTHETIC_FREEZE_MILLISECONDS: '5',
    },
  })
  const applied = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    warmPools: [{ min: 4, running: 0 }],
  })
  poolId = applied.warmPools[0]?.id ?? ''
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)
const claim = () =>
  installation.client.claims.create({ spec: { warmPoolId: poolId, fallback: 'refuse', publicKey } })
const suspended = (count: number) =>
  untilPool(
    installation.client,
    poolId,
    ({ status }) => status.suspended === count && status.provisioning === 0,
  )

test('members at rest take no memory of their host, so that all of them are there', async () => {
  expect((await suspended(4)).status).toMatchObject({ phase: 'ready', suspended: 4 })
})

test('of many claims at once as many get one as the host has memory for, and the others are told what is lacking', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 6 }, claim))
  const taken = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const refused = asked.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
  expect(taken).toHaveLength(2)
  for (const reason of refused)
    expect(reason).toMatch(
      /no room to run one that is at rest \(runner rack-1 has 0 MiB of memory left of 2048 wanted\)/,
    )
  for (const { metadata } of taken)
    await until(
      installation.client,
      'the claim',
      () => installation.client.claims.get(metadata.id),
      ({ status }) => status.phase === 'bound',
    )
  const cold = await installation.client.claims.create({
    spec: { warmPoolId: poolId, fallback: 'cold', publicKey },
  })
  expect((await hearth('why', 'claim', cold.metadata.id)).stdout).toMatch(
    /no room to run one that is at rest/,
  )
  await installation.client.claims.release(cold.metadata.id)
})

test('one at rest is not started by hand where its host has no memory for it', async () => {
  const [resting] = await installation.client.warmPools.instances(poolId).listAll({ state: 'suspended' })
  const name = resting?.environment.metadata.name ?? ''
  expect(await hearth('resume', name)).toMatchObject({
    status: 4,
    stderr: expect.stringMatching(/is at rest, and runner rack-1 has 0 MiB of memory left/) as string,
  })
})

test('a pool that may not run as many as it says goes on as soon as there is room, and says so until then', async () => {
  expect(await hearth('pool', 'set', 'shop', '--size', '2', '--running', '1')).toMatchObject({ status: 0 })
  const waiting = await untilPool(installation.client, poolId, ({ status }) => status.lack !== null)
  expect(waiting.status).toMatchObject({ ready: 0, suspended: 2 })
  expect((await hearth('why', 'pool', poolId)).stdout).toMatch(
    /members at rest wait for room to run: runner rack-1 has 0 MiB of memory left/,
  )
  const [first] = await installation.client.claims.listAll({})
  await installation.client.claims.release(first?.metadata.id ?? '')
  const pool = await untilPool(
    installation.client,
    poolId,
    ({ status }) => status.ready === 1 && status.lack === null,
  )
  expect(pool.status.suspended).toBe(1)
})
