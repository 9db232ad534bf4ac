import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { endTimeOf, machinesOf, untilPhase, untilPrebuild } from './prebuild-installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Tasks that run while a prebuild is made, with the shipped agent and repositories of a synthetic host. */
let installation: Installation
let agent: SyntheticAgent
let repositories: string

beforeAll(async () => {
  repositories = await mkdtemp(join(tmpdir(), 'hearth-repositories-'))
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
    environment: { HEARTH_SYNTHETIC_REPOSITORIES: repositories },
  })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
  await rm(repositories, { recursive: true, force: true })
})

const hearth = (...words: string[]) => run(installation, ...words)

async function project(declared: object, name = `p-${newId().slice(-12)}`): Promise<string> {
  const { projectId } = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name,
    setup: ['make'],
    prebuilds: { classes: ['small'] },
    // Disabled: nothing starts from memory then.
    warmPools: [{ enabled: false, min: 0 }],
    ...declared,
  })
  return projectId
}
const prebuild = async (projectId: string) =>
  (await installation.client.prebuilds.create({ spec: { projectId } })).metadata
const named = (environmentId: string, name: string, phase: string) =>
  until(
    installation.client,
    `${name} to be ${phase}`,
    async () => (await installation.client.tasks.listAll({ environmentId, name }))[0],
    (one) => one?.status.phase === phase,
  )

/** A claim of an empty pool, so of the prebuild or the image. */
async function claimed(projectId: string): Promise<string> {
  const { client } = installation
  const [pool] = await client.warmPools.listAll({ projectId })
  const claim = await client.claims.create({
    spec: { warmPoolId: pool?.metadata.id ?? '', publicKey: newPublicKey(), fallback: 'cold' },
  })
  const { environmentId } = claim.status
  if (environmentId === null) throw new Error('the claim has no machine')
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'running')
  return environmentId
}

const seeded = {
  tasks: {
    seed: { command: 'echo seeded', on: 'prebuild', dependsOn: ['db'] },
    lint: { command: 'echo linted', on: 'claim', dependsOn: ['seed'] },
  },
  services: {
    db: {
      command: 'echo up; sleep infinity',
      on: 'manual',
      readiness: { kind: 'log', contains: 'up' },
    },
  },
}

test('a prebuild waits for its tasks and ends what they needed; machines from it have them done, others run them', async () => {
  const { client } = installation
  const projectId = await project(seeded)
  const cold = await claimed(projectId)
  const ran = await named(cold, 'seed', 'succeeded')
  expect(ran?.status.runs).toBe(1)
  const { id, name } = await prebuild(projectId)
  const log = hearth('prebuild', 'logs', '-f', name)
  const done = await untilPhase(installation, id, 'completed')
  expect(done.status.tasks).toMatchObject([
    { kind: 'task', name: 'seed', phase: 'succeeded', runs: 1 },
    { kind: 'service', name: 'db', phase: 'stopped', runs: 1 },
  ])
  expect((await log).stdout).toContain('== task seed\nseeded\n')
  const from = await claimed(projectId)
  expect((await client.environments.get(from)).status.startedFrom).toMatchObject({ from: 'disk' })
  const held = await named(from, 'seed', 'succeeded')
  expect(held?.status).toMatchObject({ runs: 0, run: null })
  expect((await named(from, 'lint', 'succeeded'))?.status.runs).toBe(1)
  expect((await client.services.listAll({ environmentId: from }))[0]?.status).toMatchObject({ phase: 'idle' })
  expect((await hearth('why', 'task', held?.metadata.id ?? '')).stdout).toContain(
    `it ran while prebuild ${name} was made, from which its environment was started`,
  )
  // It can be run once more all the same.
  await client.tasks.start(held?.metadata.id ?? '')
  await until(
    client,
    'another run',
    () => client.tasks.get(held?.metadata.id ?? ''),
    ({ status }) => status.runs === 1 && status.phase === 'succeeded',
  )
}, 60_000)

test('a task that fails fails its prebuild with its cause and its last lines, and its log is kept', async () => {
  const { client } = installation
  const projectId = await project({
    tasks: { seed: { command: 'echo no database; exit 3', on: 'prebuild' } },
  })
  const { id, name } = await prebuild(projectId)
  const failed = await untilPrebuild(installation, id, ({ status }) => status.phase === 'failed')
  expect(failed.status.failure).toEqual({
    code: 'command_failed',
    message: 'task seed, which is part of the prebuild: the task ended with exit code 3',
    lastLines: ['no database'],
  })
  expect(failed.status.tasks).toMatchObject([{ name: 'seed', phase: 'failed', runs: 1 }])
  const why = await hearth('why', 'prebuild', name)
  expect(why.stdout).toContain(
    'it failed: task seed, which is part of the prebuild: the task ended with exit code 3',
  )
  expect(why.stdout).toContain('no database')
  await until(
    client,
    'its machine to be gone',
    async () => machinesOf(agent),
    (ids) => !ids.includes(failed.status.environmentId ?? ''),
  )
  expect((await hearth('prebuild', 'logs', name)).stdout).toContain('== task seed\nno database\n')
}, 60_000)

test('a prebuild whose tasks do not end in its time fails, and says which it waited for', async () => {
  const projectId = await project({ tasks: { seed: { command: 'sleep infinity', on: 'prebuild' } } })
  const { id, name } = await prebuild(projectId)
  await untilPrebuild(installation, id, ({ status }) => status.tasks.some(({ phase }) => phase === 'running'))
  expect((await hearth('why', 'prebuild', name)).stdout).toContain(
    'its environment runs the tasks that prebuilds run: seed',
  )
  await endTimeOf(installation, id)
  const late = await untilPrebuild(installation, id, ({ status }) => status.phase === 'failed')
  expect(late.status.failure).toMatchObject({
    code: 'deadline_passed',
    message: expect.stringContaining('seed among them'),
  })
})

test('a repository declares them as well, and a commit with another task has that run in machines from the prebuild', async () => {
  const shop = `shop-${newId().slice(-6)}`
  await mkdir(join(repositories, shop))
  const commit = (command: string) =>
    writeFile(
      join(repositories, shop, 'hearth.yaml'),
      `apiVersion: hearth/v1\ntasks: {seed: {command: ${command}, on: prebuild}}\n`,
    )
  await commit('echo one')
  const projectId = await project({ repositories: [{ url: `https://git.example/${shop}.git` }] })
  const { id } = await prebuild(projectId)
  await untilPhase(installation, id, 'completed')
  const same = await claimed(projectId)
  expect((await named(same, 'seed', 'succeeded'))?.status.runs).toBe(0)
  await commit('echo two')
  const other = await claimed(projectId)
  const ran = await named(other, 'seed', 'succeeded')
  expect(ran?.status).toMatchObject({ runs: 1, run: { output: 'two\n' } })
}, 60_000)

test('what a prebuild runs may name no secret', async () => {
  await expect(
    project({
      secrets: { A: 'abcdefgh' },
      tasks: { seed: { command: 'x', on: 'prebuild', secrets: ['A'] } },
    }),
  ).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('told no secrets') })
})
