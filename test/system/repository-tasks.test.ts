import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Tasks and services in the hearth.yaml of a repository, with the shipped agent and repositories of a synthetic host. */
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

/** The file of a repository, as a commit would have it. */
async function commit(repository: string, text: string): Promise<void> {
  await mkdir(join(repositories, repository), { recursive: true })
  await writeFile(join(repositories, repository, 'hearth.yaml'), `apiVersion: hearth/v1\n${text}`)
}

async function project(declared: { repositories: string[] } & Record<string, unknown>): Promise<string> {
  const { projectId } = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name: `p-${newId().slice(-12)}`,
    ...declared,
    repositories: declared.repositories.map((name) => ({ url: `https://git.example/${name}.git` })),
  })
  return projectId
}

async function machine(projectId: string, phase: 'running' | 'failed' = 'running'): Promise<Environment> {
  const { client } = installation
  const small = await client.environmentClasses.get('small')
  const { metadata } = await client.environments.create({
    name: `m-${newId().slice(-12)}`,
    spec: { projectId, environmentClassId: small.metadata.id },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === phase)
  return client.environments.get(metadata.id)
}

const named = (kind: 'tasks' | 'services', environmentId: string, name: string, phase: string) =>
  until(
    installation.client,
    `${name} to be ${phase}`,
    async () => (await installation.client[kind].listAll({ environmentId, name }))[0],
    (one) => one?.status.phase === phase,
  )

test('a repository adds its tasks and services to those of the project, whose own come first', async () => {
  const shop = `shop-${newId().slice(-6)}`
  await commit(
    shop,
    'tasks: {build: {command: echo of the file}}\nservices: {web: {command: sleep infinity, dependsOn: [build]}}\n',
  )
  const projectId = await project({
    repositories: [shop],
    tasks: { build: { command: 'echo of the project' } },
  })
  const { metadata } = await machine(projectId)
  const web = await named('services', metadata.id, 'web', 'running')
  expect(web?.spec).toMatchObject({ isDeclared: true, repository: shop, folder: `/home/${shop}` })
  const build = await named('tasks', metadata.id, 'build', 'succeeded')
  expect(build?.spec).toMatchObject({ command: 'echo of the project', repository: null })
  const why = await hearth('why', 'task', build?.metadata.id ?? '')
  expect(why.stdout).toContain(
    `hearth.yaml of repository ${shop} declares the same name: its project comes before it`,
  )
  expect((await hearth('why', 'service', web?.metadata.id ?? '')).stdout).toContain(
    `declared by hearth.yaml of repository ${shop}`,
  )
  expect((await hearth('describe', 'service', web?.metadata.id ?? '')).stdout).toMatch(
    new RegExp(`^Declared by: +hearth.yaml of repository ${shop}$`, 'm'),
  )
  await expect(installation.client.services.delete(web?.metadata.id ?? '')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('take it out of that file'),
  })
})

test('a machine of a project that declares nothing has those of its repository, and one of a later commit the later ones', async () => {
  const shop = `shop-${newId().slice(-6)}`
  const projectId = await project({ repositories: [shop] })
  await commit(shop, 'services: {one: {command: sleep infinity}}\n')
  const first = await machine(projectId)
  await named('services', first.metadata.id, 'one', 'running')
  await commit(shop, 'services: {two: {command: sleep infinity}}\n')
  const second = await machine(projectId)
  await named('services', second.metadata.id, 'two', 'running')
  const names = async ({ metadata }: Environment) =>
    (await installation.client.services.listAll({ environmentId: metadata.id })).map(
      (one) => one.metadata.name,
    )
  expect([await names(first), await names(second)]).toEqual([['one'], ['two']])
})

test('a member of a pool begins what its repository says begins at the start, and a fork of it has the same', async () => {
  const { client } = installation
  const shop = `shop-${newId().slice(-6)}`
  await commit(
    shop,
    'services: {early: {command: sleep infinity, on: start}, late: {command: sleep infinity}}\n',
  )
  const projectId = await project({ repositories: [shop], warmPools: [{ min: 1 }] })
  const [pool] = await client.warmPools.listAll({ projectId })
  const warmPoolId = pool?.metadata.id ?? ''
  const [member] = await until(
    client,
    'a ready member',
    () => client.environments.listAll({ warmPoolId }),
    (items) => items.some(({ status }) => status.phase === 'running'),
  )
  const id = member?.metadata.id ?? ''
  await named('services', id, 'early', 'running')
  expect(await client.services.listAll({ environmentId: id })).toHaveLength(1)
  const claim = await client.claims.create({ spec: { warmPoolId, publicKey: newPublicKey() } })
  expect(claim.status.environmentId).toBe(id)
  await named('services', id, 'late', 'running')
  // Its origin was made of another commit than the file is of now: what the snapshot holds counts.
  await commit(shop, 'services: {later: {command: sleep infinity}}\n')
  const { environments } = await client.claims.fork(claim.metadata.id, { count: 1, cold: false })
  const forked = environments[0]?.metadata.id ?? ''
  await named('services', forked, 'late', 'running')
  const services = await client.services.listAll({ environmentId: forked })
  expect(services.map(({ metadata }) => metadata.name).sort()).toEqual(['early', 'late'])
}, 60_000)

test.each([
  [
    'a bad cron line',
    'tasks: {a: {command: x, schedule: {cron: "61 * * * *"}}}\n',
    'line 2, column 36: tasks.a.schedule.cron',
  ],
  ['an unknown dependency', 'tasks: {a: {command: x, dependsOn: [b]}}\n', 'there is no b'],
  ['a circle', 'tasks: {a: {command: x, dependsOn: [a]}}\n', 'must not lead back to a: a -> a'],
  [
    'a port over 65535',
    'services: {a: {command: x, readiness: {kind: tcp, port: 65536}}}\n',
    'must be between 1 and 65535',
  ],
  [
    '65 tasks',
    `tasks: {${Array.from({ length: 65 }, (_, n) => `t${n}: {command: x}`).join(', ')}}\n`,
    'these are 65',
  ],
  ['an alias of itself', 'tasks: &a {a: *a}\n', 'tasks.a'],
])(
  'a file that does not fit fails the machine that reads it, at its place, and no other: %s',
  async (_, text, said) => {
    const [bad, good] = [`bad-${newId().slice(-6)}`, `good-${newId().slice(-6)}`]
    await commit(bad, text)
    await commit(good, 'services: {web: {command: sleep infinity}}\n')
    const failed = await machine(await project({ repositories: [bad] }), 'failed')
    const step = failed.status.steps.find(({ name }) => name === 'init_repo')
    expect(step).toMatchObject({ phase: 'failed' })
    expect(`${step?.output}${step?.error}`).toContain('hearth.yaml does not fit: line 2')
    expect(`${step?.output}${step?.error}`).toContain(said)
    expect(failed.status.failure).toMatchObject({ step: 'init_repo' })
    const other = await machine(await project({ repositories: [good] }))
    await named('services', other.metadata.id, 'web', 'running')
  },
)
