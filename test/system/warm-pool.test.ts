import { HearthClient } from '@hearth/client'
import { HearthError } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
const agents: SyntheticAgent[] = []

beforeAll(async () => {
  installation = await startInstallation()
  for (const name of ['north', 'south', 'west'])
    agents.push(await startSyntheticAgent(installation, { name }))
})
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await installation[Symbol.asyncDispose]()
})

test('a pool fills and is ready, and every step has its times', async () => {
  const { client } = installation
  const { warmPools, projectId } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'fills',
    repositories: [{ url: 'https://git.example/team/shop.git', setup: ['make dependencies'] }],
    variables: { STAGE: 'test' },
    setup: ['make tools'],
    warmPools: [{ min: 3, setup: ['make warm'] }],
  })
  await untilPool(
    client,
    warmPools[0]?.id ?? '',
    ({ status }) => status.phase === 'ready' && status.ready === 3,
  )
  const environments = await client.environments.listAll({ projectId })
  expect(environments).toHaveLength(3)
  for (const { status } of environments) {
    expect(status).toMatchObject({
      phase: 'running',
      summary: { success: true, failedStep: null, error: null },
    })
    expect(status.address?.hostKey).toMatch(/^ssh-ed25519 /)
    expect(status.identity).toMatchObject({ hostKeyMatches: true, randomSeedFresh: true })
    const ran = status.steps.filter(({ phase }) => phase !== 'skipped')
    expect(ran.map(({ name }) => name)).toContain('warm_pool_setup')
    for (const step of ran)
      expect(step).toMatchObject({
        phase: 'succeeded',
        startedAt: expect.any(String),
        finishedAt: expect.any(String),
      })
  }
  const jobs = await client.jobs.listAll({})
  const job = jobs.find(({ resource }) => resource.id === environments[0]?.metadata.id)
  expect(job).toMatchObject({ operation: 'environment.provision', phase: 'succeeded' })
  expect(job?.log.map(({ message }) => message)).toContain('project_setup succeeded')
})

test('200 parallel claims on 50 machines: 50 different ones and 150 clear refusals', async () => {
  const { client } = installation
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'crowd',
    warmPools: [{ min: 50 }],
  })
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 50)
  // No new machine may become ready meanwhile: the hosts accept none.
  for (const { runner } of agents)
    await client.runners.update(runner.metadata.name, { spec: { scheduling: 'cordoned' } })
  const publicKey = newPublicKey()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, () =>
      client.claims.create({ spec: { warmPoolId: id, fallback: 'refuse', publicKey } }),
    ),
  )
  for (const { runner } of agents)
    await client.runners.update(runner.metadata.name, { spec: { scheduling: 'enabled' } })
  const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const refusals = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  )
  expect(won).toHaveLength(50)
  expect(new Set(won.map(({ status }) => status.environmentId)).size).toBe(50)
  expect(
    won.every(({ status }) => status.connection?.certificate.startsWith('ssh-ed25519-cert-v01@openssh.com ')),
  ).toBe(true)
  expect(refusals).toHaveLength(150)
  for (const refusal of refusals) {
    expect(refusal).toBeInstanceOf(HearthError)
    expect(refusal).toMatchObject({
      code: 'pool_empty',
      message: expect.stringContaining('no ready environment'),
    })
  }
  await untilPool(client, id, ({ status }) => status.ready === 50 && status.claimed === 50)
}, 120_000)

test('with fallback cold an empty pool still serves: the claim waits and is then bound', async () => {
  const { client } = installation
  const { warmPools } = await client.apply({ apiVersion: 'hearth/v1', name: 'cold', warmPools: [{ min: 0 }] })
  const publicKey = newPublicKey()
  const claim = await client.claims.create({ spec: { project: 'cold', publicKey } })
  expect(claim.status).toMatchObject({ phase: 'pending', source: 'cold', connection: null })
  const bound = await client.claims.wait(claim.metadata.id, 30)
  expect(bound.status).toMatchObject({
    phase: 'bound',
    source: 'cold',
    connection: { address: { user: 'root' } },
  })
  expect((await client.warmPools.get(warmPools[0]?.id ?? '')).status.ready).toBe(0)
})

test('a claimed machine can be entered by its claimant and administrators, and by no other member', async () => {
  const { client, url } = installation
  const member = async (name: string) =>
    new HearthClient({ url, token: (await client.tokens.create({ name, roles: ['member'] })).secret })
  const [mine, other] = [await member('mine'), await member('other')]
  const { warmPools } = await client.apply({ apiVersion: 'hearth/v1', name: 'mine', warmPools: [{ min: 1 }] })
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 1)
  const publicKey = newPublicKey()
  const claim = await mine.claims.create({ spec: { warmPoolId: id, fallback: 'refuse', publicKey } })
  const environmentId = claim.status.environmentId ?? ''
  expect((await mine.claims.get(claim.metadata.id)).status.connection).not.toBeNull()
  expect((await other.claims.get(claim.metadata.id)).status.connection).toBeNull()
  await expect(other.claims.certificate(claim.metadata.id, publicKey)).rejects.toMatchObject({
    code: 'forbidden',
  })
  await expect(other.environments.certificate(environmentId, publicKey)).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect((await mine.environments.certificate(environmentId, publicKey)).certificate).toContain('-cert-v01')
  expect((await client.claims.certificate(claim.metadata.id, publicKey)).certificate).toContain('-cert-v01')
  await mine.claims.release(claim.metadata.id)
})

test('a released machine is deleted and never comes back to the pool', async () => {
  const { client } = installation
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'release',
    warmPools: [{ min: 1 }],
  })
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 1)
  const claim = await client.claims.create({
    spec: { warmPoolId: id, fallback: 'refuse', publicKey: newPublicKey() },
  })
  const environmentId = claim.status.environmentId ?? ''
  await client.claims.release(claim.metadata.id)
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'deleted')
  await untilPool(client, id, ({ status }) => status.ready === 1 && status.claimed === 0)
  const members = await client.environments.listAll({ warmPoolId: id })
  expect(members.map(({ metadata }) => metadata.id)).not.toContain(environmentId)
})

test('a pool that is made smaller, disabled or left out of the file gives up its machines', async () => {
  const { client } = installation
  const declaration = (min: number, enabled = true) => ({
    apiVersion: 'hearth/v1' as const,
    name: 'shrink',
    warmPools: [{ min, enabled }],
  })
  const { warmPools, projectId } = await client.apply(declaration(4))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 4)
  await client.apply(declaration(1))
  await untilPool(client, id, ({ status }) => status.ready === 1)
  await client.apply(declaration(1, false))
  await untilPool(client, id, ({ status }) => status.phase === 'disabled' && status.ready === 0)
  const result = await client.apply({ apiVersion: 'hearth/v1', name: 'shrink', warmPools: [] })
  expect(result.warmPools).toMatchObject([{ id, change: 'deleted' }])
  await client.projects.delete('shrink')
  const left = () => client.environments.listAll({ projectId })
  await expect.poll(left, { timeout: 20_000 }).toEqual([])
  await expect
    .poll(() => client.projects.get('shrink').catch((error: HearthError) => error.code))
    .toBe('not_found')
})

test('when the set-up changes, members are replaced one at a time and the pool stays claimable', async () => {
  const { client } = installation
  const declaration = (setup: string) => ({
    apiVersion: 'hearth/v1' as const,
    name: 'changes',
    setup: [setup],
    warmPools: [{ min: 2 }],
  })
  const { warmPools } = await client.apply(declaration('make one'))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 2)
  await client.apply(declaration('make two'))
  const seen: number[] = []
  await untilPool(client, id, (pool) => {
    seen.push(pool.status.ready)
    return (
      pool.status.phase === 'ready' &&
      pool.status.provisioning === 0 &&
      pool.status.observedSpecVersion >= 1 &&
      seen.length > 2
    )
  })
  await expect
    .poll(
      async () => {
        const members = await client.environments.listAll({ warmPoolId: id })
        const shown = await Promise.all(members.map(({ metadata }) => client.environments.get(metadata.id)))
        return shown.map(({ spec }) => spec.plan?.projectSetup[0]?.command)
      },
      { timeout: 20_000 },
    )
    .toEqual(['make two', 'make two'])
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(2)
})
