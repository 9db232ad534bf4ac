import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { until, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** A runner that boots one machine at a time, and a pool that wants twelve. */
let installation: Installation
let agent: SyntheticAgent
const publicKey = newPublicKey()
const members = 12

beforeAll(async () => {
  installation = await startInstallation()
  const settings = { HEARTH_BOOT_CONCURRENCY: '1', HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '150' }
  agent = await startSyntheticAgent(installation, { name: 'rack-1', environment: settings })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

test('a pool orders no more than boots next, so that a cold claim does not wait behind all of it', async () => {
  const { client } = installation
  const other = await client.apply({ apiVersion: 'hearth/v1', name: 'other', warmPools: [{ min: 0 }] })
  const applied = await client.apply({ apiVersion: 'hearth/v1', name: 'shop', warmPools: [{ min: members }] })
  const poolId = applied.warmPools[0]?.id ?? ''
  const seen: number[] = []
  let claimId = ''
  await until(
    client,
    'the pool',
    () => client.warmPools.get(poolId),
    ({ status }) => {
      seen.push(status.provisioning)
      return status.ready >= 1
    },
  )
  expect((await run(installation, 'why', 'pool', poolId)).stdout).toMatch(
    /are being made, and \d+ more as boot slots of the runners come free/,
  )
  const spec = { warmPoolId: other.warmPools[0]?.id ?? '', fallback: 'cold' as const, publicKey }
  claimId = (await client.claims.create({ spec })).metadata.id
  const before = (await client.warmPools.get(poolId)).status.ready
  await until(
    client,
    'the claim',
    () => client.claims.get(claimId),
    ({ status }) => status.phase === 'bound',
  )
  const { ready } = (await client.warmPools.get(poolId)).status
  // One that booted, one that waited behind it, and what ended while the answers were on their way.
  expect(ready - before).toBeLessThanOrEqual(4)
  await untilPool(client, poolId, ({ status }) => {
    seen.push(status.provisioning)
    return status.ready === members
  })
  expect(Math.max(...seen)).toBe(2)
}, 60_000)
