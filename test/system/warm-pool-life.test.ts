import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import type { WarmPool, WarmPoolInstance } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until, untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
const agents: SyntheticAgent[] = []
const broken = { HEARTH_SYNTHETIC_FAILURES: 'warm_pool_setup:1' }

beforeAll(async () => {
  installation = await startInstallation({ overrides: { timings: { poolRest: 200, bootRetry: 20 } } })
  const { client } = installation
  agents.push(await startSyntheticAgent(installation, { name: 'sound' }))
  agents.push(await startSyntheticAgent(installation, { name: 'broken', environment: broken }))
  for (const name of ['sound', 'broken']) {
    await client.runners.update(name, { labels: { host: name } })
    const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 1 }
    await client.environmentClasses.create({ name, spec: { ...size, runnerSelector: { host: name } } })
  }
})
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await installation[Symbol.asyncDispose]()
})

interface Wish {
  class?: 'sound' | 'broken'
  enabled?: boolean
  min?: number
}

async function poolOf(name: string, wish: Wish = {}): Promise<WarmPool> {
  const { client } = installation
  const { class: environmentClass = 'sound', ...spec } = wish
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name,
    repositories: [{ url: 'https://git.example/team/shop.git', branch: 'main' }],
    warmPools: [{ environmentClass, setup: ['make warm'], ...spec }],
  })
  return client.warmPools.get(warmPools[0]?.id ?? '')
}

/** Resolves once the steps have ended, successfully or not. */
const ended = (poolId: string, { environment }: WarmPoolInstance) =>
  until(
    installation.client,
    `test ${environment.metadata.id}`,
    () => installation.client.warmPools.tests(poolId).get(environment.metadata.id),
    ({ state }) => state !== 'provisioning',
  )

const setupsOf = (instances: readonly WarmPoolInstance[]) =>
  Promise.all(
    instances.map(async ({ environment }) => {
      const { spec } = await installation.client.environments.get(environment.metadata.id)
      return spec.plan?.warmPoolSetup[0]?.command
    }),
  )

test('a test boot runs the steps of a disabled pool, beside another test, and is not a member', async () => {
  const { client } = installation
  const { metadata } = await poolOf('tested', { enabled: false, min: 2 })
  const tests = client.warmPools.tests(metadata.id)
  const started = await Promise.all([tests.create({}), tests.create({ keepSeconds: 60 })])
  for (const one of started) {
    expect(one).toMatchObject({ purpose: 'test', state: 'provisioning', current: true, claimedAt: null })
    const { state, environment } = await ended(metadata.id, one)
    expect(state).toBe('ready')
    expect(environment.spec).toMatchObject({ warmPoolId: null, test: { warmPoolId: metadata.id } })
    expect(environment.status.summary).toEqual({ success: true, failedStep: null, error: null })
    const last = environment.status.steps.at(-1)
    expect(last).toMatchObject({ name: 'warm_pool_setup', phase: 'succeeded', exitCode: 0 })
    expect(last?.output).toContain('make warm')
    const keptFor =
      Date.parse(environment.status.removeAt ?? '') - Date.parse(environment.status.readyAt ?? '')
    expect(Math.round(keptFor / 10_000) * 10).toBe(one === started[0] ? 1_800 : 60)
  }
  const pool = await client.warmPools.get(metadata.id)
  expect(pool.status).toMatchObject({ phase: 'disabled', ready: 0, provisioning: 0, failed: 0, claimed: 0 })
  const claim = client.claims.create({
    spec: { warmPoolId: metadata.id, fallback: 'refuse', publicKey: newPublicKey() },
  })
  await expect(claim).rejects.toMatchObject({ code: 'pool_empty' })
  expect(await tests.listAll({})).toHaveLength(2)
  expect(await client.warmPools.instances(metadata.id).listAll({ state: 'ready' })).toHaveLength(2)
})

test('a failed test says where and why, can be entered by its creator, and is removed after its keep time', async () => {
  const { client, url } = installation
  const member = async (name: string) =>
    new HearthClient({ url, token: (await client.tokens.create({ name, roles: ['member'] })).secret })
  const [mine, other] = [await member('starter'), await member('bystander')]
  const { metadata } = await poolOf('failing', { class: 'broken', min: 0 })
  const started = await mine.warmPools.tests(metadata.id).create({ keepSeconds: 2 })
  const { state, environment } = await ended(metadata.id, started)
  const { id } = environment.metadata
  expect(state).toBe('failed')
  expect(environment.status.summary).toMatchObject({ success: false, failedStep: 'warm_pool_setup' })
  expect(environment.status.summary.error).toMatch(/exited with 1\n(.*\n)*simulated failure/)
  expect(environment.status.steps.at(-1)).toMatchObject({
    phase: 'failed',
    exitCode: 1,
    startedAt: expect.any(String),
    finishedAt: expect.any(String),
    durationMilliseconds: expect.any(Number),
  })

  const publicKey = newPublicKey()
  await expect(other.environments.certificate(id, publicKey)).rejects.toMatchObject({ code: 'forbidden' })
  const connection = await mine.environments.certificate(id, publicKey)
  expect(connection.certificate).toContain('-cert-v01')
  const later = await client.environments.get(id)
  expect(Date.parse(later.status.removeAt ?? '')).toBeGreaterThan(
    Date.parse(environment.status.removeAt ?? ''),
  )
  expect(connection.expiresAt).toBe(later.status.removeAt)

  const gone = await untilEnvironment(client, id, ({ status }) => status.phase === 'deleted')
  expect(gone.status.deletion).toMatchObject({ reason: 'test_over' })
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(later.status.removeAt ?? ''))
  expect(existsSync(join(agents[1]?.stateFolder ?? '', 'environments', id))).toBe(false)
  const kept = await client.warmPools.tests(metadata.id).get(id)
  expect(kept).toMatchObject({
    state: 'removed',
    environment: { status: { summary: { failedStep: 'warm_pool_setup' } } },
  })
  expect((await client.warmPools.get(metadata.id)).status).toMatchObject({
    phase: 'ready',
    consecutiveFailures: 0,
    failed: 0,
  })
  await expect(mine.environments.certificate(id, publicKey)).rejects.toMatchObject({ code: 'conflict' })
})

test('deleting a pool ends its tests', async () => {
  const { client } = installation
  const { metadata } = await poolOf('short', { min: 0 })
  const test = await client.warmPools.tests(metadata.id).create({})
  await client.warmPools.delete(metadata.id)
  await untilEnvironment(client, test.environment.metadata.id, ({ status }) => status.phase === 'deleted')
})

test('a cleared pool is empty at once, and fills again when it should, is enabled or is changed', async () => {
  const { client } = installation
  const { metadata } = await poolOf('cleared', { min: 2 })
  const { id } = metadata
  const instances = client.warmPools.instances(id)
  await untilPool(client, id, ({ status }) => status.phase === 'ready')
  const before = (await instances.listAll({})).map(({ environment }) => environment.metadata.id)
  const emptied = await client.warmPools.clear(id, {})
  expect(emptied.status).toMatchObject({ phase: 'cleared', ready: 0, provisioning: 0 })
  await until(
    client,
    'no machine',
    () => instances.listAll({}),
    (all) => all.length === 0,
  )
  expect((await client.environments.get(before[0] ?? '')).status.deletion).toMatchObject({
    reason: 'pool_cleared',
  })
  expect((await client.warmPools.update(id, { labels: { team: 'shop' } })).status.phase).toBe('cleared')
  for (const change of [{ enabled: true }, { min: 3 }]) {
    await client.warmPools.update(id, { spec: change })
    const full = await untilPool(client, id, ({ status }) => status.phase === 'ready')
    expect(full.status.ready).toBe(full.spec.min)
    await client.warmPools.clear(id, {})
  }
  const filling = await client.warmPools.clear(id, { replenish: true })
  expect(filling.status).toMatchObject({ phase: 'filling', ready: 0 })
  await untilPool(client, id, ({ status }) => status.ready === 3)
})

test('from a change of the project on, its pool is not ready until its members are made from it', async () => {
  const { client } = installation
  const { metadata, spec } = await poolOf('told', { min: 2 })
  const { id } = metadata
  await untilPool(client, id, ({ status }) => status.phase === 'ready')
  await client.projects.update('told', { spec: { setup: ['make tools'] } })
  const [listed] = (await client.warmPools.listAll({ projectId: spec.projectId })) as [WarmPool]
  for (const { status } of [await client.warmPools.get(id), listed])
    expect(status).toMatchObject({ phase: 'filling', ready: 2 })
  await untilPool(client, id, ({ status }) => status.phase === 'ready')
  await until(
    client,
    'members of the new configuration only',
    () => client.warmPools.instances(id).listAll({ state: 'ready' }),
    (members) => members.length === 2 && members.every(({ current }) => current),
  )
})

test('branch and commands of a pool reach its machines', async () => {
  const { client } = installation
  const { metadata } = await poolOf('branches')
  const { id } = metadata
  await untilPool(client, id, ({ status }) => status.phase === 'ready')
  await client.warmPools.update(id, { spec: { branch: 'next', setup: ['make hot'] } })
  const replaced = await until(
    client,
    'the member with the new branch',
    () => client.warmPools.instances(id).listAll({ state: 'ready' }),
    (ready) => ready.length === 1 && ready[0]?.current === true,
  )
  expect(await setupsOf(replaced)).toEqual(['make hot'])
  const shown = await client.environments.get(replaced[0]?.environment.metadata.id ?? '')
  expect(shown.spec.plan?.repositories[0]?.branch).toBe('next')
  await client.warmPools.update(id, { spec: { branch: null } })
  const back = await client.warmPools.tests(id).create({ keepSeconds: 1 })
  expect(back.environment.spec.plan?.repositories[0]?.branch).toBe('main')
})

test('a member that has been ready for too long is replaced before it goes', async () => {
  const { client, controlPlane } = installation
  const { metadata } = await poolOf('aged', { min: 2 })
  const { id } = metadata
  await untilPool(client, id, ({ status }) => status.phase === 'ready')
  await client.warmPools.update(id, { spec: { maxAgeMinutes: 5 } })
  const instances = client.warmPools.instances(id)
  const [oldest] = (await instances.listAll({ state: 'ready' })) as [WarmPoolInstance]
  const { database } = controlPlane.services
  const { status } = await database
    .selectFrom('environments')
    .select('status')
    .where('id', '=', oldest.environment.metadata.id)
    .executeTakeFirstOrThrow()
  const readyAt = new Date(Date.now() - 360_000).toISOString()
  await database
    .updateTable('environments')
    .set({ status: JSON.stringify({ ...status, readyAt }) })
    .where('id', '=', oldest.environment.metadata.id)
    .execute()
  const fewest: number[] = []
  const gone = await untilEnvironment(client, oldest.environment.metadata.id, ({ status }) => {
    void client.warmPools.get(id).then((pool) => fewest.push(pool.status.ready))
    return status.phase === 'deleted'
  })
  expect(gone.status.deletion).toMatchObject({ reason: 'too_old' })
  const pool = await untilPool(client, id, ({ status }) => status.provisioning === 0)
  expect(pool.status).toMatchObject({ phase: 'ready', ready: 2 })
  expect(Math.min(...fewest)).toBeGreaterThanOrEqual(2)
})

test('a pool whose boots keep failing stops with the reason, and clearing it with replenish retries', async () => {
  const { client } = installation
  const { metadata } = await poolOf('stops', { class: 'broken', min: 1 })
  const { id } = metadata
  const stopped = await untilPool(client, id, ({ status }) => status.phase === 'failed')
  expect(stopped.status).toMatchObject({ consecutiveFailures: 3, failure: { code: 'boots_keep_failing' } })
  expect(stopped.status.failure?.message).toContain('exited with 1')
  const made = async () => (await client.environments.listAll({ warmPoolId: id, phase: 'deleted' })).length
  // The newest of the three is kept for a look.
  const before = 2
  await eventually(async () => (await made()) === before, { timeoutMilliseconds: 20_000 })
  const trying = await client.warmPools.clear(id, { replenish: true })
  expect(trying.status).toMatchObject({ phase: 'filling', consecutiveFailures: 0, failure: null, failed: 0 })
  const again = await untilPool(client, id, ({ status }) => status.phase === 'failed')
  expect(again.status.consecutiveFailures).toBe(3)
  await eventually(async () => (await made()) === before + 3, { timeoutMilliseconds: 20_000 })
})
