import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Explanation, ProjectDeclarationInput } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CuttableRelay, startCuttableRelay } from './cuttable-relay.ts'
import { until, untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

const runnerLease = 3_000
const timings = { heartbeat: 200, lease: runnerLease, removalGrace: 500, synchronisationSpread: 50 }

let installation: Installation
let relay: CuttableRelay

beforeAll(async () => {
  installation = await startInstallation({
    overrides: { timings: { runnerLease, bootRetry: 20, placementRest: 500 } },
  })
  const { hostname, port } = new URL(installation.nats.url)
  relay = await startCuttableRelay({ host: hostname, port: Number(port) })
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const apply = async (name: string, change: Partial<ProjectDeclarationInput> = {}) => {
  const declaration = { apiVersion: 'hearth/v1' as const, name, warmPools: [{ min: 0 }], ...change }
  const { projectId, warmPools } = await installation.client.apply(declaration)
  return { projectId, poolId: warmPools[0]?.id ?? '' }
}
const claimOf = (poolId: string) =>
  installation.client.claims.create({ spec: { warmPoolId: poolId, publicKey: newPublicKey() } })
const classOf = async (name: string, spec: object) => {
  const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
  return installation.client.environmentClasses.create({ name, spec: { ...size, ...spec } })
}
const told = ({ evidence }: Explanation) => evidence.map(({ what }) => what).join('\n')
const untilRunner = (name: string, phase: string) =>
  until(
    installation.client,
    `${name} ${phase}`,
    () => installation.client.runners.get(name),
    ({ status }) => status.phase === phase,
  )

test('pending: no runner has joined', async () => {
  const { client } = installation
  const { poolId, projectId } = await apply('alone')
  const claim = await claimOf(poolId)
  const why = await client.environments.why(claim.status.environmentId ?? '')
  expect(why).toMatchObject({
    kind: 'Environment',
    phase: 'pending',
    sentence: expect.stringContaining('no runner has joined: start one with `hearth runner join`'),
    next: expect.stringContaining('no_runner_fits'),
  })
  expect(told(why)).toContain('its deadline')
  const ofClaim = await client.claims.why(claim.metadata.id)
  expect(ofClaim.sentence).toContain('its min is 0, so it keeps none ready')
  expect(ofClaim.sentence).toContain('no runner has joined')
  await client.projects.delete(projectId, { force: true })
})

test.each([
  ['no room', { memoryMebibytes: 1_000_000 }, /north has 4096 MiB of memory left of 1000000 wanted/],
  ['no such label', { runnerSelector: { disk: 'fast' } }, /north lacks the label disk=fast/],
  ['another region', { region: 'mars' }, /north is in region default, not mars/],
  ['no such image', { image: 'plan-9' }, /north lacks the image plan-9/],
])('pending: %s', async (name, spec, reason) => {
  const { client } = installation
  const environment = { HEARTH_CAPACITY_MEMORY_MEBIBYTES: '4096' }
  await using _north = await startSyntheticAgent(installation, { name: 'north', environment, timings })
  await untilRunner('north', 'active')
  const { metadata } = await classOf(name.replaceAll(' ', '-'), spec)
  const { projectId, poolId } = await apply(name.replaceAll(' ', '-'), {
    warmPools: [{ environmentClass: metadata.name, min: 1 }],
  })
  const member = async () => (await client.environments.listAll({ warmPoolId: poolId }))[0]?.metadata.id ?? ''
  await untilPool(client, poolId, ({ status }) => status.provisioning === 1)
  const why = await client.environments.why(await member())
  expect(why.sentence).toMatch(reason)
  await until(
    client,
    'the pool to know',
    () => client.warmPools.why(poolId),
    ({ sentence }) => reason.test(sentence),
  )
  await client.projects.delete(projectId)
  await until(
    client,
    'the project gone',
    () => client.projects.list({}),
    ({ items }) => !items.some((item) => item.metadata.id === projectId),
  )
  await client.runners.delete('north', { force: true })
})

test('failed: the step, the cause, the exit status and the last lines; and the claim is cold since its pool gave up', async () => {
  const { client, url, token } = installation
  const environment = { HEARTH_SYNTHETIC_FAILURES: 'project_setup:1' }
  await using _clumsy = await startSyntheticAgent(installation, { name: 'clumsy', environment, timings })
  const { projectId, poolId } = await apply('clumsy', { setup: ['make tools'], warmPools: [{ min: 1 }] })
  await untilPool(client, poolId, ({ status }) => status.phase === 'failed')
  const failures = await client.environments.listAll({ warmPoolId: poolId, phase: 'failed' })
  const failed = failures.find(({ spec }) => spec.desiredPhase === 'running')
  const why = await client.environments.why(failed?.metadata.id ?? '')
  expect(why.sentence).toMatch(/^it failed in project_setup on clumsy: /)
  expect(told(why)).toMatch(/project_setup failed with exit status 1/)
  expect(told(why)).toContain('| simulated failure, as the settings say')
  const pool = await client.warmPools.why(poolId)
  expect(pool).toMatchObject({ phase: 'failed', sentence: expect.stringContaining('it has stopped') })
  expect(told(pool)).toContain('3 failed in a row, the last in project_setup')
  const claim = await claimOf(poolId)
  const ofClaim = await client.claims.why(claim.metadata.id)
  expect(ofClaim.sentence).toContain('it has stopped making any, the last 3 environments failed')

  const command = join(import.meta.dirname, '../../packages/cli/src/main.ts')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', command, 'why', failed?.metadata.name ?? ''],
    { env: { ...process.env, HEARTH_URL: url, HEARTH_TOKEN: token } },
  )
  expect(stdout).toContain(
    `environment ${failed?.metadata.name} is failed: it failed in project_setup on clumsy`,
  )
  expect(stdout).toMatch(/^Next: .*hearth retry/m)
  await client.projects.delete(projectId, { force: true })
  await client.runners.delete('clumsy', { force: true })
}, 60_000)

test('unreachable: which runner, since when, and what happens next; deleted: since its runner was removed', async () => {
  const { client } = installation
  await using _east = await startSyntheticAgent(installation, { name: 'east', through: relay, timings })
  const { projectId, poolId } = await apply('waits', { warmPools: [{ min: 1 }] })
  await untilPool(client, poolId, ({ status }) => status.ready === 1)
  const claim = await claimOf(poolId)
  const id = claim.status.environmentId ?? ''
  relay.cut()
  await untilEnvironment(client, id, ({ status }) => status.unreachable)
  const why = await client.environments.why(id)
  expect(why.sentence).toMatch(
    /^its runner east has been silent since .* UTC; it was running when last seen$/,
  )
  expect(why.next).toContain('it waits for east, because its project says onHostLoss: wait')
  expect((await client.runners.why('east')).sentence).toContain('its agent is silent since')
  expect((await client.claims.why(claim.metadata.id)).sentence).toContain('has been silent since')
  await client.runners.delete('east', { force: true })
  await untilEnvironment(client, id, ({ status }) => status.phase === 'deleted')
  expect((await client.environments.why(id)).sentence).toBe(
    'it is deleted, because its runner east was removed',
  )
  relay.mend()
  await client.projects.delete(projectId, { force: true })
}, 60_000)

test('deleting: it waits for a runner that does not answer, and says who asked', async () => {
  const { client } = installation
  await using _west = await startSyntheticAgent(installation, { name: 'west', through: relay, timings })
  const { projectId, poolId } = await apply('goes')
  const claim = await claimOf(poolId)
  const id = claim.status.environmentId ?? ''
  await untilEnvironment(client, id, ({ status }) => status.phase === 'running')
  relay.cut()
  await client.environments.delete(id)
  await untilEnvironment(client, id, ({ status }) => status.phase === 'deleting')
  const why = await client.environments.why(id)
  expect(why.sentence).toBe(
    'it is being deleted because administrator asked for it, and waits for west to remove the machine and its disk',
  )
  expect(told(why)).toContain('last heartbeat of west')
  expect(why.next).toContain('--force')
  // The lease ends. Nobody can remove the machine now; on its return, the runner learns that it is unwanted.
  await untilEnvironment(client, id, ({ status }) => status.phase === 'deleted')
  relay.mend()
  await untilRunner('west', 'active')
  await client.projects.delete(projectId, { force: true })
  await client.runners.delete('west', { force: true })
}, 60_000)

test('draining: what is left on the runner, and why its machine stays', async () => {
  const { client } = installation
  await using _south = await startSyntheticAgent(installation, { name: 'south', timings })
  const { projectId, poolId } = await apply('drains', { warmPools: [{ min: 1 }] })
  await untilPool(client, poolId, ({ status }) => status.ready === 1)
  const claim = await claimOf(poolId)
  const id = claim.status.environmentId ?? ''
  await untilPool(client, poolId, ({ status }) => status.ready === 1 && status.claimed === 1)
  await client.runners.update('south', { spec: { scheduling: 'cordoned' } })
  expect((await client.runners.why('south')).sentence).toContain('cordoned')
  await client.runners.update('south', { spec: { scheduling: 'draining' } })
  const runner = await until(
    client,
    'only the claimed machine',
    () => client.runners.why('south'),
    ({ sentence }) => sentence.includes('1 environments are left on it, of which 1 are claimed'),
  )
  expect(told(runner)).toContain(`claim ${claim.metadata.name}`)
  expect((await client.environments.why(id)).sentence).toContain('the runner is draining and it stays')
  const gone = await client.environments.listAll({ warmPoolId: poolId, phase: 'deleted' })
  const drained = gone.find(({ status }) => status.runnerId !== null)
  expect((await client.environments.why(drained?.metadata.id ?? '')).sentence).toBe(
    'it is deleted, because its runner south was drained',
  )
  await client.claims.release(claim.metadata.id)
  await untilEnvironment(client, id, ({ status }) => status.phase === 'deleted')
  expect((await client.environments.why(id)).sentence).toBe(
    'it is deleted, because administrator released its claim',
  )
  await client.projects.delete(projectId)
  await client.runners.delete('south', { force: true })
}, 60_000)
