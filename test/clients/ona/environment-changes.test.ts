import Gitpod, { APIError } from '@gitpod/sdk'
import { waitForEnvironmentRunning } from '@gitpod/sdk/lib/environment'
import {
  ListEnvironmentsRequest_ArchivalStatus as ArchivalStatus,
  EnvironmentService,
} from '@hearth/control-plane/ona/gitpod/v1/environment_pb'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Ground } from './ground.ts'

let ground: Ground
let ona: Gitpod
beforeAll(async () => {
  ground = await Ground.start()
  ona = new Gitpod({ baseURL: ground.baseUrl, bearerToken: ground.installation.token })
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

const patience = { timeoutMilliseconds: 60_000 }
const refused = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof APIError)) throw new Error('it was not refused')
  return [error.status, (error as { code?: string }).code, error.message]
}
const context = (url: string) => ({ content: { initializer: { specs: [{ contextUrl: { url } }] } } })

test('an environment of repositories and no project runs, and the next one is of the same project', async () => {
  const machine = { class: await ground.classNamed('quick') }
  const spec = { ...context('https://git.example.com/ours/shop/tree/main'), machine }
  const { environment } = await ona.environments.create({ spec })
  await waitForEnvironmentRunning(ona, environment.id)
  const again = await ona.environments.create({ spec })
  const other = await ona.environments.create({
    spec: { ...context('https://git.example.com/ours/cart'), machine },
  })
  const projects = [environment, again.environment, other.environment].map(
    ({ metadata }) => metadata?.projectId,
  )
  expect(new Set(projects).size).toBe(2)
  expect(projects[1]).toBe(projects[0])
  expect(environment.metadata?.originalContextUrl).toBe('https://git.example.com/ours/shop/tree/main')
  const native = await ground.native.projects.get(projects[0] ?? '')
  expect(native.spec.repositories.map(({ url }) => url)).toEqual(['https://git.example.com/ours/shop'])
  expect(
    await refused(ona.environments.create({ spec: context('https://git.example.com/ours/shop') })),
  ).toEqual([400, 'failed_precondition', expect.stringContaining('name an environment class')])
})

test('a name and annotations stay with the environment, also one that waited in a pool', async () => {
  const projectId = await ground.project('quick')
  const environmentClassId = await ground.classNamed('quick')
  const pool = await ground.native.warmPools.create({ spec: { projectId, environmentClassId, min: 1 } })
  await eventually(
    async () => (await ground.native.warmPools.get(pool.metadata.id)).status.ready === 1,
    patience,
  )
  const environments = ground.connect(EnvironmentService)
  const sessionId = newId()
  const { environment } = await environments.createEnvironmentFromProject({
    projectId,
    name: 'Work on the cart',
    annotations: { 'ours/ticket': '4711' },
    sessionId,
  })
  expect(environment?.metadata).toMatchObject({
    name: 'Work on the cart',
    annotations: { 'ours/ticket': '4711' },
    sessionId,
  })
  const found = async (filter: object) =>
    (await environments.listEnvironments({ filter })).environments.map(({ id }) => id)
  expect(await found({ search: 'the cart' })).toEqual([environment?.id])
  expect(await found({ sessionIds: [sessionId] })).toEqual([environment?.id])
  expect(await found({ sessionIds: [newId()] })).toEqual([])
  expect(
    await refused(
      ground
        .post('gitpod.v1.EnvironmentService/CreateEnvironmentFromProject', {
          projectId,
          annotations: { 'a key': 'x' },
        })
        .then(async (answer) => {
          throw APIError.generate(answer.status, (await answer.json()) as object, undefined, answer.headers)
        }),
    ),
  ).toEqual([400, 'invalid_argument', expect.stringContaining('annotations')])
})

test('an environment is renamed, and stopped when nobody uses it for as long as is said', async () => {
  const projectId = await ground.project('quick')
  const { environment } = await ona.environments.createFromProject({
    projectId,
    spec: { timeout: { disconnected: '3600s' } },
  })
  const environmentId = environment.id
  const now = async () => (await ona.environments.retrieve({ environmentId })).environment
  expect((await now()).spec?.timeout?.disconnected).toBe('3600s')
  await ona.environments.update({
    environmentId,
    metadata: { name: 'other' } as never,
    spec: { timeout: { disconnected: '1800s' } },
  })
  expect(await now()).toMatchObject({
    metadata: { name: 'other' },
    spec: { timeout: { disconnected: '1800s' } },
  })
  const { status } = await ground.native.environments.get(environmentId)
  expect(status.life).toMatchObject({ idleSeconds: 1_800, idleThen: 'stop' })
  await ona.environments.update({ environmentId, spec: { timeout: { disconnected: '0s' } } })
  expect((await ground.native.environments.get(environmentId)).status.life).toBeNull()
  const wrong = (spec: object) => refused(ona.environments.update({ environmentId, spec }))
  expect(await wrong({ timeout: { disconnected: '60s' } })).toEqual([
    400,
    'invalid_argument',
    expect.stringContaining('spec.timeout.disconnected'),
  ])
  expect(await wrong({ devcontainer: { devcontainerFilePath: 'a.json' } })).toEqual([
    400,
    'failed_precondition',
    expect.stringContaining('spec.devcontainer'),
  ])
  expect((await now()).metadata?.name).toBe('other')
})

test('an archived environment is stopped, listed where it is asked for, and started only when it is taken back', async () => {
  const projectId = await ground.project('quick')
  const { environment } = await ona.environments.createFromProject({ projectId })
  const environmentId = environment.id
  await waitForEnvironmentRunning(ona, environmentId)
  const environments = ground.connect(EnvironmentService)
  await environments.archiveEnvironment({ environmentId })
  await eventually(
    async () => (await ground.native.environments.get(environmentId)).status.phase === 'stopped',
    patience,
  )
  const listed = async (archivalStatus: ArchivalStatus) =>
    (await environments.listEnvironments({ filter: { projectIds: [projectId], archivalStatus } }))
      .environments.length
  const states = [
    ArchivalStatus.UNSPECIFIED,
    ArchivalStatus.ACTIVE,
    ArchivalStatus.ARCHIVED,
    ArchivalStatus.ALL,
  ]
  expect(await Promise.all(states.map(listed))).toEqual([0, 0, 1, 1])
  const { environment: seen } = await environments.getEnvironment({ environmentId })
  expect(seen?.metadata?.archivedAt?.seconds).toBeGreaterThan(0n)
  expect(await refused(ona.environments.start({ environmentId }))).toEqual([
    400,
    'failed_precondition',
    expect.stringContaining('unarchive it first'),
  ])
  await ona.environments.unarchive({ environmentId })
  expect(await Promise.all(states.map(listed))).toEqual([1, 1, 0, 1])
  await ona.environments.start({ environmentId })
  await waitForEnvironmentRunning(ona, environmentId)
})
