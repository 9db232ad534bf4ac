import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment, untilPool } from './following.ts'
import { housekeeping } from './housekeeping.ts'
import { type Installation, startInstallation } from './installation.ts'
import { layersOf, retryTemplatesNow, untilPhase, untilPrebuild } from './prebuild-installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
/** Its guests do not take their identity, so that nothing starts from a snapshot. */
let odd: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation()
  const timings = { heartbeat: 200, pausedMachines: 100 }
  agent = await startSyntheticAgent(installation, { name: 'rack-1', labels: { kind: 'plain' }, timings })
  odd = await startSyntheticAgent(installation, {
    name: 'odd',
    labels: { kind: 'odd' },
    timings,
    environment: { HEARTH_SYNTHETIC_FAILURES: 'own_identity:1' },
  })
  const size = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' }
  for (const kind of ['plain', 'odd'])
    await installation.client.environmentClasses.create({
      name: kind,
      spec: { ...size, runnerSelector: { kind } },
    })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await odd?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

/** A pool that keeps no machine is disabled: nothing of it starts from memory then. */
const declared = (name: string, min: number, setup = ['make'], environmentClass = 'plain') => ({
  apiVersion: 'hearth/v1' as const,
  name,
  repositories: [{ url: 'https://git.example/shop.git', name: 'shop', setup: ['npm ci'] }],
  variables: { STAGE: 'dev' },
  setup,
  prebuilds: { classes: [environmentClass] },
  warmPools: [{ environmentClass, enabled: min > 0, min, setup: ['warm up'] }],
})

async function apply(name: string, min: number, setup?: string[], environmentClass?: string) {
  const declaration = declared(name, min, setup, environmentClass)
  const { projectId, warmPools } = await installation.client.apply(declaration)
  return { projectId, poolId: warmPools[0]?.id ?? '' }
}

async function prebuilt(projectId: string) {
  const { metadata } = await installation.client.prebuilds.create({ spec: { projectId } })
  return untilPhase(installation, metadata.id, 'completed')
}

const memoryKept = (id: string) =>
  untilPrebuild(installation, id, ({ status }) => status.templates[0]?.phase === 'ready')

async function coldClaim(warmPoolId: string): Promise<Environment> {
  const { client } = installation
  const spec = { warmPoolId, fallback: 'cold' as const, publicKey: newPublicKey() }
  const claim = await client.claims.create({ spec })
  const id = (await client.claims.get(claim.metadata.id)).status.environmentId ?? ''
  return untilEnvironment(client, id, ({ status }) => status.phase === 'running')
}

/** A machine of a claim that fails to start. */
async function failedClaim(warmPoolId: string): Promise<Environment> {
  const { client } = installation
  const spec = { warmPoolId, fallback: 'cold' as const, publicKey: newPublicKey() }
  const claim = await client.claims.create({ spec })
  const id = (await client.claims.get(claim.metadata.id)).status.environmentId ?? ''
  return untilEnvironment(client, id, ({ status }) => status.phase === 'failed')
}

const steps = ({ status }: Environment) =>
  status.steps.map(
    ({ name, phase, repository }) => `${name}${repository === null ? '' : `.${repository}`} ${phase}`,
  )
const whatOf = async (id: string) =>
  (await installation.client.environments.why(id)).evidence.map(({ what }) => what)
const ofPrebuild = [
  'create_vm succeeded',
  'own_identity succeeded',
  'ensure_server succeeded',
  'set_env_vars succeeded',
  'clone_repo.shop succeeded',
  'init_repo.shop held',
  'project_setup held',
  'repo_setup.shop held',
  'warm_pool_setup succeeded',
]

test('members of a pool and cold claims start from the newest prebuild, whose steps are held, and from its memory as long as the pool is enabled', async () => {
  const { client } = installation
  const { projectId, poolId } = await apply(`p-${newId()}`.slice(0, 40), 0)
  const { metadata, status } = await prebuilt(projectId)
  const cold = await coldClaim(poolId)
  expect(steps(cold)).toEqual(ofPrebuild)
  const started = { from: 'disk', snapshotId: status.snapshotId, incarnation: 1 }
  expect(cold.status.startedFrom).toMatchObject(started)
  const sentence = `it started from the disk of prebuild ${metadata.name}: its runner keeps no memory of prebuild ${metadata.name}`
  expect(await whatOf(cold.metadata.id)).toContain(sentence)
  const claims = await client.claims.listAll({})
  const claim = claims.find(({ status: { environmentId } }) => environmentId === cold.metadata.id)
  expect(JSON.stringify(await client.claims.why(claim?.metadata.id ?? ''))).toContain(sentence)

  await client.warmPools.update(poolId, { spec: { enabled: true } })
  await housekeeping(installation)
  const kept = await memoryKept(metadata.id)
  const claimed = await coldClaim(poolId)
  expect(steps(claimed)).toEqual(ofPrebuild)
  const resumed = { from: 'memory', snapshotId: kept.status.templates[0]?.snapshotId, reason: null }
  expect(claimed.status.startedFrom).toMatchObject(resumed)

  await client.warmPools.update(poolId, { spec: { min: 2 } })
  await untilPool(client, poolId, (pool) => pool.status.ready === 2)
  const members = (await client.environments.listAll({ warmPoolId: poolId })).filter(
    ({ status: { claimId } }) => claimId === null,
  )
  for (const member of members) {
    expect(steps(member)).toEqual(ofPrebuild)
    expect(member.status.startedFrom).toMatchObject(resumed)
  }
  await client.warmPools.update(poolId, { spec: { enabled: false } })
  await housekeeping(installation)
  await untilPrebuild(installation, metadata.id, ({ status: { templates } }) => templates.length === 0)
  const why = await client.warmPools.why(poolId)
  expect(why.evidence.map(({ what }) => what)).toContain(
    `its environments start from prebuild ${metadata.name}`,
  )
})

test('a prebuild is deleted when its layer is gone; what stands on that is named, and force does not wait', async () => {
  const { client } = installation
  const made = []
  for (let index = 0; index < 2; index += 1) {
    const { projectId, poolId } = await apply(`p-${newId()}`.slice(0, 40), 0)
    const { metadata, status } = await prebuilt(projectId)
    made.push({ id: metadata.id, layer: status.snapshotId, machine: await coldClaim(poolId) })
  }
  for (const { id, layer, machine } of made) {
    expect(machine.status.startedFrom).toMatchObject({ from: 'disk', snapshotId: layer })
    await client.prebuilds.delete(id)
    await expect
      .poll(async () => (await client.prebuilds.why(id)).sentence, { timeout: 20_000 })
      .toContain(`still on rack-1, where environment ${machine.metadata.name} still stands on them`)
    expect((await client.prebuilds.get(id)).status).toMatchObject({
      phase: 'deleting',
      deadline: expect.any(String),
    })
    expect((await client.prebuilds.why(id)).next).toContain('--force')
  }
  const [waiting, forced] = made
  await client.prebuilds.delete(forced?.id ?? '', { force: true })
  expect((await client.prebuilds.get(forced?.id ?? '')).status.phase).toBe('deleted')
  expect(layersOf(agent)).toContain(forced?.layer)
  for (const { machine } of made) await client.environments.delete(machine.metadata.id, { force: false })
  await untilPhase(installation, waiting?.id ?? '', 'deleted')
  expect(layersOf(agent)).not.toContain(waiting?.layer)
  await expect.poll(() => layersOf(agent), { timeout: 20_000 }).not.toContain(forced?.layer)
})

test('where no prebuild fits the image is taken, with the reason; one that fits again is used again', async () => {
  const name = `p-${newId()}`.slice(0, 40)
  const { projectId, poolId } = await apply(name, 0)
  const none = await coldClaim(poolId)
  expect(none.status.startedFrom).toMatchObject({
    from: 'image',
    reason: 'no prebuild of its project and class is complete yet',
  })
  const { metadata } = await prebuilt(projectId)
  await apply(name, 0, ['make', 'make install'])
  const changed = await coldClaim(poolId)
  const reason = `prebuild ${metadata.name} was made of other repositories, another set-up, image or size`
  expect(changed.status.startedFrom).toMatchObject({ from: 'image', reason })
  expect(steps(changed)).not.toContain('project_setup held')
  expect(await whatOf(changed.metadata.id)).toContain(`it started from its image: ${reason}`)
  const why = await installation.client.warmPools.why(poolId)
  expect(why.evidence.map(({ what }) => what)).toContain(`its environments start from their image: ${reason}`)
  await apply(name, 0)
  expect((await coldClaim(poolId)).status.startedFrom?.from).toBe('disk')
})

test('after three machines that could not start from a prebuild the one before it is used', async () => {
  const { client } = installation
  const { projectId, poolId } = await apply(`p-${newId()}`.slice(0, 40), 0)
  const good = await prebuilt(projectId)
  const bad = await prebuilt(projectId)
  appendFileSync(join(agent.stateFolder, 'layers', bad.status.snapshotId ?? '', 'disk'), 'changed')
  for (const count of [1, 2, 3]) {
    const taken = await coldClaim(poolId)
    expect(taken.status.startedFrom).toMatchObject({ from: 'image', snapshotId: bad.status.snapshotId })
    expect(steps(taken)).toContain('project_setup succeeded')
    await untilPrebuild(installation, bad.metadata.id, ({ status }) => status.failedBoots === count)
  }
  const next = await coldClaim(poolId)
  expect(next.status.startedFrom).toMatchObject({ from: 'disk', snapshotId: good.status.snapshotId })
  expect((await client.prebuilds.why(bad.metadata.id)).sentence).toContain(
    '3 environments in a row could not start',
  )
  const pool = await client.warmPools.get(poolId)
  expect(pool.status).toMatchObject({ consecutiveFailures: 0, failure: null })
  const why = await client.warmPools.why(poolId)
  expect(why.evidence.map(({ what }) => what)).toContain(
    `its environments start from prebuild ${good.metadata.name}: 3 environments in a row could not start from prebuild ${bad.metadata.name}`,
  )
})

test('where a pool is enabled the memory of a machine is kept, newer prebuilds stand on older ones, and the memory of the older goes', async () => {
  const { client } = installation
  const { projectId, poolId } = await apply(`p-${newId()}`.slice(0, 40), 1)
  await untilPool(client, poolId, (pool) => pool.status.ready === 1)
  const first = await memoryKept((await prebuilt(projectId)).metadata.id)
  expect(first.status).toMatchObject({
    basedOnId: null,
    templates: [{ runnerId: agent.runner.metadata.id, failure: null }],
  })
  const [template] = first.status.templates
  const memory = await client.resources('Snapshot').get(template?.snapshotId ?? '')
  expect(memory.status).toMatchObject({ parentId: first.status.snapshotId, memory: { kept: true } })
  // Who names it as a source finds the same steps done.
  const { metadata: small } = await client.environmentClasses.get('plain')
  const named = await client.environments.create({
    spec: {
      projectId,
      environmentClassId: small.id,
      source: { snapshotId: memory.metadata.id, memory: true },
    },
  })
  const started = await untilEnvironment(
    client,
    named.metadata.id,
    ({ status }) => status.phase === 'running',
  )
  expect(started.status.startedFrom).toMatchObject({ from: 'memory', snapshotId: memory.metadata.id })
  expect(steps(started)).toEqual(
    ofPrebuild.map((step) => (step.startsWith('warm_pool_setup') ? 'warm_pool_setup skipped' : step)),
  )
  await client.environments.delete(named.metadata.id)
  // The machine whose memory it is was told nothing, and is gone.
  const machine = await client.environments.get(template?.environmentId ?? '')
  expect(machine.spec).toMatchObject({
    prebuildId: first.metadata.id,
    plan: { variables: {}, secretNames: [], repositories: [] },
  })
  await untilEnvironment(client, machine.metadata.id, ({ status }) => status.phase === 'deleted')

  await client.warmPools.update(poolId, { spec: { min: 2 } })
  await untilPool(client, poolId, (pool) => pool.status.ready === 2)
  const members = await client.environments.listAll({ warmPoolId: poolId })
  const member = members.find(({ status }) => status.startedFrom?.from === 'memory')
  expect(member?.status.startedFrom).toMatchObject({ snapshotId: memory.metadata.id, reason: null })
  expect(member === undefined ? [] : steps(member)).toEqual(ofPrebuild)

  const second = await memoryKept((await prebuilt(projectId)).metadata.id)
  expect(second.status).toMatchObject({ basedOnId: first.metadata.id, warnings: [] })
  expect(second.status.steps.map(({ phase }) => phase)).not.toContain('held')
  const disk = await client.resources('Snapshot').get(second.status.snapshotId ?? '')
  expect(disk.status.parentId).toBe(first.status.snapshotId)
  await untilPrebuild(installation, first.metadata.id, ({ status }) => status.templates.length === 0)
  expect((await client.resources('Snapshot').get(memory.metadata.id)).spec.desiredPhase).toBe('deleted')
})

test('a template that fails leaves the disk; a prebuild that nothing starts from leaves the image, and the pool is not to blame', async () => {
  const { client } = installation
  const { projectId, poolId } = await apply(`p-${newId()}`.slice(0, 40), 1, ['make'], 'odd')
  await untilPool(client, poolId, (pool) => pool.status.ready === 1)
  const { metadata } = await prebuilt(projectId)
  const failed = await untilPrebuild(
    installation,
    metadata.id,
    ({ status }) => status.templates[0]?.phase === 'failed',
  )
  expect(failed.status.phase).toBe('completed')
  expect(failed.status.templates).toMatchObject([{ snapshotId: null, failure: { step: 'own_identity' } }])
  await client.warmPools.update(poolId, { spec: { min: 2 } })
  await untilPool(client, poolId, (pool) => pool.status.ready === 2)
  const members = await client.environments.listAll({ warmPoolId: poolId })
  const ready = members.filter(({ status }) => status.phase === 'running')
  expect(ready.map(({ status }) => status.startedFrom?.from)).toEqual(['image', 'image'])
  const { status } = await client.warmPools.get(poolId)
  expect(status).toMatchObject({ consecutiveFailures: 0, failure: null })
  const given = await untilPrebuild(
    installation,
    metadata.id,
    ({ status: { failedBoots } }) => failedBoots >= 3,
  )
  expect(given.status.phase).toBe('completed')
})

test('a template that failed is tried again, and what starts then has its memory', async () => {
  const { client } = installation
  const { projectId, poolId } = await apply(`p-${newId()}`.slice(0, 40), 1, ['make'], 'odd')
  await untilPool(client, poolId, (pool) => pool.status.ready === 1)
  const { id } = (await prebuilt(projectId)).metadata
  const failed = await untilPrebuild(
    installation,
    id,
    ({ status }) => status.templates[0]?.phase === 'failed',
  )
  expect(failed.status.templates).toMatchObject([{ failures: 1, retryAt: expect.any(String) }])
  expect(JSON.stringify(await client.prebuilds.why(id))).toContain(
    '1 of 5 attempts failed, and it is tried again at',
  )
  await odd[Symbol.asyncDispose]()
  odd = await startSyntheticAgent(installation, {
    name: 'odd',
    identityOf: odd,
    timings: { heartbeat: 200, pausedMachines: 100 },
  })
  await retryTemplatesNow(installation, id)
  const kept = await memoryKept(id)
  expect(kept.status.templates).toMatchObject([{ failures: 1, failure: null, retryAt: null }])
  await client.warmPools.update(poolId, { spec: { min: 2 } })
  await untilPool(client, poolId, (pool) => pool.status.ready === 2)
  const members = await client.environments.listAll({ warmPoolId: poolId })
  expect(members.map(({ status }) => status.startedFrom?.from)).toContain('memory')
}, 60_000)

test('a host whose guests do not answer costs no prebuild, and a prebuild whose guests alone do not answer is given up', async () => {
  const { client } = installation
  const { projectId, poolId } = await apply(`p-${newId()}`.slice(0, 40), 0, ['make'], 'odd')
  const { id, name } = (await prebuilt(projectId)).metadata
  const boots = (failed: number, unexplained: number) =>
    untilPrebuild(
      installation,
      id,
      ({ status }) => status.failedBoots === failed && status.unexplainedBoots === unexplained,
    )
  const mute = {
    HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '600000',
    HEARTH_STEP_DEADLINE_SECONDS: 'own_identity:0.2,ensure_server:0.2',
  }
  const restart = async (environment: Record<string, string>) => {
    await odd[Symbol.asyncDispose]()
    const timings = { heartbeat: 200, pausedMachines: 100 }
    odd = await startSyntheticAgent(installation, { name: 'odd', identityOf: odd, timings, environment })
  }
  await restart(mute)
  for (const count of [1, 2, 3]) {
    const { status } = await failedClaim(poolId)
    expect(status.failure).toMatchObject({ code: 'guest_unreachable', step: 'own_identity' })
    await boots(0, count)
  }
  expect((await client.prebuilds.why(id)).sentence).toContain(
    '3 environments that started from it did not answer',
  )
  const tried = await failedClaim(poolId)
  expect(tried.status.failure).toMatchObject({ step: 'ensure_server' })
  expect(await whatOf(tried.metadata.id)).toContainEqual(
    expect.stringContaining(`3 environments that started from prebuild ${name} did not answer`),
  )
  await restart({})
  expect((await coldClaim(poolId)).status.startedFrom?.from).toBe('image')
  await housekeeping(installation)
  await boots(0, 0)
  expect((await coldClaim(poolId)).status.startedFrom?.from).toBe('disk')

  await restart(mute)
  for (const count of [1, 2, 3]) {
    await failedClaim(poolId)
    await boots(0, count)
  }
  // What has nothing of the prebuild comes up there.
  await restart({})
  expect((await coldClaim(poolId)).status.startedFrom?.from).toBe('image')
  await housekeeping(installation)
  await boots(3, 0)
}, 120_000)
