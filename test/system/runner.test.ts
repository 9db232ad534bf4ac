import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runnerSchema } from '@hearth/contract'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until, untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation

beforeAll(async () => {
  installation = await startInstallation()
})
afterAll(() => installation[Symbol.asyncDispose]())

const declaration = (name: string, min: number, setup: string[] = ['make']) => ({
  apiVersion: 'hearth/v1' as const,
  name,
  setup,
  warmPools: [{ min }],
})

test('of two agents with one identity the older stops acting and reports it', async () => {
  const { client } = installation
  const older = await startSyntheticAgent(installation, { name: 'twins' })
  await until(
    client,
    'runner',
    () => client.runners.get('twins'),
    ({ status }) => status.phase === 'active',
  )
  const { warmPools } = await client.apply(declaration('twins', 2))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 2)
  const before = (await client.runners.get('twins')).status.epoch
  const younger = await startSyntheticAgent(installation, { name: 'twins', identityOf: older })
  await until(
    client,
    'epoch',
    () => client.runners.get('twins'),
    ({ status }) => status.epoch > before,
  )
  // An order of the new epoch reaches both agents: from it, the older one learns that it was replaced.
  await client.apply(declaration('twins', 3))
  expect(await older.ended).toBe('superseded')
  await untilPool(client, id, ({ status }) => status.ready === 3)
  expect((await client.environments.listAll({ warmPoolId: id })).length).toBe(3)
  await client.projects.delete('twins')
  await until(
    client,
    'the runner empty',
    () => client.runners.get('twins'),
    ({ status }) => status.environments === 0,
  )
  await expect
    .poll(() => readdirSync(join(younger.stateFolder, 'environments')), { timeout: 20_000 })
    .toEqual([])
  await younger.stop()
  await client.runners.delete('twins')
})

test('an agent that restarts continues with the machines it finds, and repeats nothing', async () => {
  const { client } = installation
  const slow = { HEARTH_SYNTHETIC_STEP_MILLISECONDS: '1500' }
  const first = await startSyntheticAgent(installation, { name: 'again', environment: slow })
  const { projectId } = await client.apply(declaration('again', 1, ['make one', 'make two']))
  const [environment] = await until(
    client,
    'project_setup to run',
    () => client.environments.listAll({ projectId }),
    (all) =>
      all.some(({ status }) =>
        status.steps.some((step) => step.name === 'project_setup' && step.phase === 'running'),
      ),
  )
  const id = environment?.metadata.id ?? ''
  const startedAt = environment?.status.steps.find(({ name }) => name === 'project_setup')?.startedAt
  expect(await first.stop()).toBe('stopped')
  const second = await startSyntheticAgent(installation, {
    name: 'again',
    identityOf: first,
    environment: slow,
  })
  const ready = await untilEnvironment(client, id, ({ status }) => status.phase === 'running')
  expect(ready.status.steps.find(({ name }) => name === 'project_setup')).toMatchObject({
    phase: 'succeeded',
    startedAt,
  })
  expect(ready.status.failure).toBeNull()
  await client.projects.delete('again')
  await expect.poll(() => client.environments.listAll({ projectId }), { timeout: 20_000 }).toEqual([])
  await second.stop()
  await client.runners.delete('again')
})

test('a NATS server that crashes while a pool fills costs time but no machine', async () => {
  const { client, nats } = installation
  const agent = await startSyntheticAgent(installation, { name: 'storm' })
  const { warmPools, projectId } = await client.apply(declaration('storm', 10))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.provisioning > 0)
  await nats.crashAndRestart()
  await untilPool(client, id, ({ status }) => status.ready === 10)
  expect(await client.environments.listAll({ warmPoolId: id })).toHaveLength(10)
  await client.projects.delete('storm')
  await expect.poll(() => client.environments.listAll({ projectId }), { timeout: 30_000 }).toEqual([])
  await expect
    .poll(() => readdirSync(join(agent.stateFolder, 'environments')), { timeout: 20_000 })
    .toEqual([])
  await agent.stop()
  await client.runners.delete('storm')
}, 120_000)

test('a draining runner gives up its unclaimed machines and keeps the claimed one', async () => {
  const { client } = installation
  const leaving = await startSyntheticAgent(installation, { name: 'leaving' })
  const { warmPools } = await client.apply(declaration('moves', 2))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 2)
  const claim = await client.claims.create({
    spec: { warmPoolId: id, fallback: 'refuse', publicKey: newPublicKey() },
  })
  await untilPool(client, id, ({ status }) => status.ready === 2 && status.claimed === 1)
  const staying = await startSyntheticAgent(installation, { name: 'staying' })
  await client.runners.update('leaving', { spec: { scheduling: 'draining' } })
  const { metadata } = await client.runners.get('staying')
  await until(
    client,
    'the pool on the other runner',
    () => client.environments.listAll({ warmPoolId: id }),
    (all) =>
      all.filter(({ status }) => status.runnerId === metadata.id && status.phase === 'running').length === 2,
  )
  const claimed = await client.environments.get(claim.status.environmentId ?? '')
  expect(claimed.status).toMatchObject({ phase: 'running', runnerId: leaving.runner.metadata.id })
  const told = await client.events.list({ resourceId: leaving.runner.metadata.id, limit: 200 })
  const counts = told.items
    .map(({ resource }) => runnerSchema.parse(resource).status)
    .flatMap(({ phase, environments }) => (phase === 'draining' ? [environments] : []))
  expect(Math.max(...counts)).toBeGreaterThanOrEqual(1)
  await client.claims.release(claim.metadata.id)
  await until(
    client,
    'the runner empty',
    () => client.runners.get('leaving'),
    ({ status }) => status.environments === 0,
  )
  await client.projects.delete('moves')
  await until(
    client,
    'the other runner empty',
    () => client.runners.get('staying'),
    ({ status }) => status.environments === 0,
  )
  await leaving.stop()
  await staying.stop()
  await client.runners.delete('leaving')
  await client.runners.delete('staying')
})

test('a step that keeps failing fails its machines with step and cause, and the pool stops after three', async () => {
  const { client } = installation
  const agent = await startSyntheticAgent(installation, {
    name: 'clumsy',
    environment: { HEARTH_SYNTHETIC_FAILURES: 'project_setup:1' },
  })
  const { warmPools } = await client.apply(declaration('clumsy', 1))
  const id = warmPools[0]?.id ?? ''
  const pool = await untilPool(client, id, ({ status }) => status.consecutiveFailures >= 1)
  expect(pool.status.failure).toMatchObject({ code: 'command_failed', step: 'project_setup' })
  const [failed] = (await client.environments.listAll({ warmPoolId: id })).filter(
    ({ status }) => status.phase === 'failed',
  )
  expect(failed?.status).toMatchObject({
    summary: { success: false, failedStep: 'project_setup', error: expect.any(String) },
    failure: { code: 'command_failed', step: 'project_setup', lastLines: expect.any(Array) },
  })
  // The pause before each retry is longer than the last; the test moves the pool's failures into the past to shorten
  // it.
  const stopped = await until(
    client,
    'the pool to stop',
    async () => {
      await endPauses(installation.database.url, id)
      return client.warmPools.get(id)
    },
    ({ status }) => status.phase === 'failed',
  )
  expect(stopped.status).toMatchObject({
    consecutiveFailures: 3,
    retryAt: null,
    failure: { code: 'boots_keep_failing' },
  })
  await client.projects.delete('clumsy')
  await expect
    .poll(() => readdirSync(join(agent.stateFolder, 'environments')), { timeout: 20_000 })
    .toEqual([])
  await until(
    client,
    'the runner empty',
    () => client.runners.get('clumsy'),
    ({ status }) => status.environments === 0,
  )
  await agent.stop()
  await client.runners.delete('clumsy')
}, 120_000)

test('a failed machine that is retried is made again, and its claim is bound after all', async () => {
  const { client } = installation
  const failing = { HEARTH_SYNTHETIC_FAILURES: 'project_setup:1' }
  const clumsy = await startSyntheticAgent(installation, { name: 'mended', environment: failing })
  const { warmPools } = await client.apply(declaration('mended', 0))
  const claim = await client.claims.create({
    spec: { warmPoolId: warmPools[0]?.id ?? '', fallback: 'cold', publicKey: newPublicKey() },
  })
  const failed = await client.claims.wait(claim.metadata.id, 30)
  expect(failed.status).toMatchObject({ phase: 'failed', failure: { step: 'project_setup' } })
  await clumsy.stop()
  const mended = await startSyntheticAgent(installation, { name: 'mended', identityOf: clumsy })
  const environmentId = failed.status.environmentId ?? ''
  await client.environments.retry(environmentId)
  const ready = await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'running')
  expect(ready.status).toMatchObject({ failure: null, summary: { success: true } })
  await until(
    client,
    'the claim',
    () => client.claims.get(claim.metadata.id),
    ({ status }) => status.phase === 'bound' && status.connection !== null,
  )
  await client.claims.release(claim.metadata.id)
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'deleted')
  await client.projects.delete('mended')
  await mended.stop()
  await client.runners.delete('mended')
}, 90_000)

test('a runner removed by force gives up its machines, and the claim on one is released', async () => {
  const { client } = installation
  const lost = await startSyntheticAgent(installation, { name: 'lost' })
  const { warmPools } = await client.apply(declaration('lost', 1))
  const id = warmPools[0]?.id ?? ''
  await untilPool(client, id, ({ status }) => status.ready === 1)
  const claim = await client.claims.create({
    spec: { warmPoolId: id, fallback: 'refuse', publicKey: newPublicKey() },
  })
  await untilPool(client, id, ({ status }) => status.ready === 1 && status.claimed === 1)
  await lost.stop()
  await expect(client.runners.delete('lost')).rejects.toMatchObject({ code: 'conflict' })
  await client.runners.delete('lost', { force: true })
  await untilEnvironment(client, claim.status.environmentId ?? '', ({ status }) => status.phase === 'deleted')
  await until(
    client,
    'the claim released',
    () => client.claims.get(claim.metadata.id),
    ({ status }) => status.phase === 'released',
  )
  const waiting = () => client.environments.listAll({ warmPoolId: id })
  await until(client, 'a new one to wait for a runner', waiting, (all) =>
    all.every(({ status }) => status.phase === 'pending'),
  )
  await client.projects.delete('lost')
}, 90_000)

/** Makes the pool's failures an hour older and wakes it, so that its pauses are over. */
async function endPauses(url: string, poolId: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(
      `UPDATE environments SET status = jsonb_set(status, '{failedAt}', to_jsonb((status->>'failedAt')::timestamptz - interval '1 hour'))
       WHERE owner_kind = 'warm-pool' AND owner_id = $1 AND status->>'failedAt' IS NOT NULL`,
      [poolId],
    )
    await client.query(
      "SELECT graphile_worker.add_job('reconcile', json_build_object('kind', 'warm-pool', 'id', $1::text))",
      [poolId],
    )
  } finally {
    await client.end()
  }
}
