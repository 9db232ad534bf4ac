import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Suspended machines with the shipped agent: each test goes on where the one before ended. */
let installation: Installation
let agent: SyntheticAgent
let claim: string
let environmentId: string
let poolId: string

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    environment: { HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '5' },
  })
  const { client } = installation
  const applied = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    setup: ['make'],
    warmPools: [{ min: 1 }],
  })
  poolId = applied.warmPools[0]?.id ?? ''
  await untilPool(client, poolId, ({ status }) => status.phase === 'ready')
  const taken = JSON.parse((await hearth('claim', 'shop', '-o', 'json')).stdout)
  claim = taken.name
  environmentId = taken.environmentId
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)
const powerOnHost = () =>
  JSON.parse(readFileSync(join(agent.stateFolder, 'environments', environmentId, 'machine.json'), 'utf8'))
    .power
const phase = async () => (await installation.client.environments.get(environmentId)).status.phase

test('a claim is suspended, stays claimed, and says so', async () => {
  const suspended = await hearth('suspend', claim)
  expect(suspended).toMatchObject({ status: 0 })
  expect(suspended.stdout).toMatch(/^Phase: +suspended$/m)
  expect(powerOnHost()).toBe('suspended')
  expect(JSON.parse((await hearth('get', 'claims', '-o', 'json')).stdout)).toMatchObject([
    { metadata: { name: claim }, status: { phase: 'bound', environmentId } },
  ])
  const why = await hearth('why', 'environment', environmentId)
  expect(why.stdout).toMatch(/suspended on rack-1, as was asked/)
  // Again is no fault.
  expect(await hearth('suspend', claim)).toMatchObject({ status: 0 })
})

test('it goes on from its memory, and its address and host key are the same', async () => {
  const before = await installation.client.environments.get(environmentId)
  const resumed = await hearth('resume', claim)
  expect(resumed).toMatchObject({ status: 0 })
  expect(resumed.stdout).toMatch(/^Went on from: +its memory$/m)
  const after = await installation.client.environments.get(environmentId)
  expect(after.status.address).toEqual(before.status.address)
  expect(after.status.identity).not.toBeNull()
  expect(await hearth('resume', claim)).toMatchObject({ status: 0 })
})

test('an agent that starts anew finds it suspended, and a stop and a start go through its memory', async () => {
  await hearth('suspend', claim)
  await agent.stop()
  agent = await startSyntheticAgent(installation, { name: 'rack-1', identityOf: agent })
  expect(await phase()).toBe('suspended')
  const { client } = installation
  await client.environments.update(environmentId, { spec: { desiredPhase: 'stopped' } })
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'stopped')
  expect(powerOnHost()).toBe('shut_off')
  const refused = await hearth('suspend', claim)
  expect(refused).toMatchObject({
    status: 4,
    stderr: expect.stringMatching(/is stopped: only what runs can be suspended/) as string,
  })
  expect(await hearth('resume', claim)).toMatchObject({ status: 0 })
  expect(powerOnHost()).toBe('running')
})

test('a suspended claim is released like any other', async () => {
  await hearth('suspend', claim)
  expect(await hearth('delete', 'claim', claim)).toMatchObject({ status: 0 })
  await untilEnvironment(installation.client, environmentId, ({ status }) => status.phase === 'deleted')
})
