import {
  EventService,
  type ResourceOperation,
  ResourceType,
} from '@hearth/control-plane/ona/gitpod/v1/event_pb'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Ground } from './ground.ts'

let ground: Ground
let other: string
beforeAll(async () => {
  ground = await Ground.start()
  other = (await ground.native.tokens.create({ name: 'other', roles: ['member'] })).secret
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

interface Repository {
  git: { remoteUri: string; cloneTarget?: string }
}
interface Shown {
  id: string
  metadata: { archivedAt?: string; projectId: string }
  spec: { desiredPhase: string; content: { initializer: { specs: Repository[] } } }
  status: { phase: string; content: { phase: string } }
}
interface Answer {
  code?: string
  message?: string
  allowed?: boolean
  environment: Shown
  subject: { id: string }
  warmPool: { id: string; spec: { desiredPhase: string } }
}

async function call(method: string, body: unknown, token?: string): Promise<Answer> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  return (await (await ground.post(`gitpod.v1.${method}`, body, headers)).json()) as Answer
}
const environments = (method: string, body: object, token?: string) =>
  call(`EnvironmentService/${method}Environment`, body, token)
const shown = async (environmentId: string) => (await environments('Get', { environmentId })).environment
const until = (environmentId: string, phase: string) =>
  eventually(async () => (await shown(environmentId)).status.phase === `ENVIRONMENT_PHASE_${phase}`, {
    timeoutMilliseconds: 60_000,
  })

async function made(kind: string): Promise<string> {
  const projectId = await ground.project(kind)
  const { environment } = await call('EnvironmentService/CreateEnvironmentFromProject', { projectId })
  await until(environment.id, 'RUNNING')
  return environment.id
}

/** From a pool, so that nobody but its claimant enters it. */
async function claimed(token: string): Promise<string> {
  const projectId = await ground.project('quick')
  const environmentClassId = await ground.classNamed('quick')
  const { metadata } = await ground.native.warmPools.create({
    spec: { projectId, environmentClassId, min: 1 },
  })
  await eventually(async () => (await ground.native.warmPools.get(metadata.id)).status.ready === 1, {
    timeoutMilliseconds: 60_000,
  })
  const { environment } = await call('EnvironmentService/CreateEnvironmentFromProject', { projectId }, token)
  return environment.id
}

test('a page of a branch is checked out at that branch, and one of something else is refused', async () => {
  const machine = { class: await ground.classNamed('quick') }
  const create = (url: string) =>
    environments('Create', {
      spec: { machine, content: { initializer: { specs: [{ contextUrl: { url } }] } } },
    })
  for (const [page, remoteUri, cloneTarget] of [
    ['https://git.example.com/ours/shop/tree/new/door', 'https://git.example.com/ours/shop', 'new/door'],
    ['https://git.example.com/a/group/shop/-/tree/main', 'https://git.example.com/a/group/shop', 'main'],
    ['https://git.example.com/a/group/shop', 'https://git.example.com/a/group/shop', undefined],
    ['https://git.example.com/ours/shop.git', 'https://git.example.com/ours/shop.git', undefined],
    ['https://git.example.com/ours/shop/issues/7', 'https://git.example.com/ours/shop', undefined],
  ] as const) {
    const { environment } = await create(page)
    const [first] = environment.spec.content.initializer.specs
    expect([page, first?.git.remoteUri, first?.git.cloneTarget]).toEqual([page, remoteUri, cloneTarget])
  }
  for (const page of ['commit/0a1b2c', 'releases/tag/v1', 'pull/12'])
    expect(await create(`https://git.example.com/ours/shop/${page}`)).toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('initializer.specs[0]'),
    })
})

test('what is archived does not run, also where it is started at the same time', async () => {
  const environmentId = await made('slow')
  await environments('Stop', { environmentId })
  await until(environmentId, 'STOPPED')
  expect((await shown(environmentId)).status.content.phase).toBe('CONTENT_PHASE_UNAVAILABLE')
  await Promise.all([
    environments('Start', { environmentId }),
    environments('Archive', { environmentId }),
    environments('Start', { environmentId }),
  ])
  const { metadata, spec } = await shown(environmentId)
  expect(metadata.archivedAt).toBeDefined()
  expect(spec.desiredPhase).toBe('ENVIRONMENT_PHASE_STOPPED')
  await until(environmentId, 'STOPPED')
  await environments('Archive', { environmentId })
  expect((await shown(environmentId)).metadata.archivedAt).toBe(metadata.archivedAt)
})

test('whoever may not enter a machine is not said to be let in at its ports', async () => {
  const environmentId = await claimed(ground.installation.token)
  const ports = [
    { port: 3_000, name: 'web' },
    { port: 4_000, name: 'open', admission: 'ADMISSION_LEVEL_EVERYONE' },
  ]
  await environments('Update', { environmentId, spec: { ports } })
  const allowed = async (port: number, token?: string) =>
    (await call('EnvironmentService/AllowPortAccess', { environmentId, port }, token)).allowed ?? false
  expect([await allowed(3_000), await allowed(4_000), await allowed(5_000)]).toEqual([true, true, false])
  expect([await allowed(3_000, other), await allowed(4_000, other)]).toEqual([false, true])
  const unknown = { environmentId: newId(), port: 3_000 }
  expect((await call('EnvironmentService/AllowPortAccess', unknown)).code).toBe('not_found')
  const secure = { ports: [{ port: 3_000, name: 'web', protocol: 'PROTOCOL_HTTPS' }] }
  expect(await environments('Update', { environmentId, spec: secure })).toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('spec.ports[0].protocol'),
  })
})

test('what a claimant’s machine does is told to those who watch what is that claimant’s', async () => {
  const { subject } = await call('IdentityService/GetAuthenticatedIdentity', {}, other)
  const environmentId = await claimed(other)
  const leaving = new AbortController()
  const filter = { resourceType: ResourceType.ENVIRONMENT, creatorIds: [subject.id] }
  const stream = ground
    .connect(EventService)
    .watchEvents(
      { scope: { case: 'organization', value: true }, resourceTypeFilters: [filter] },
      { signal: leaving.signal },
    )
  const seen: [string, ResourceOperation][] = []
  const watching = (async () => {
    for await (const { resourceId, operation } of stream) seen.push([resourceId, operation])
  })().catch(() => undefined)
  await eventually(
    async () => {
      const name = { metadata: { name: `called ${newId()}` } }
      await environments('Update', { environmentId, ...name }, other)
      return seen.length > 0
    },
    { timeoutMilliseconds: 20_000 },
  )
  leaving.abort()
  await watching
  expect(new Set(seen.map(([id]) => id))).toEqual(new Set([environmentId]))
})

test('watching what is not there, and a signal of nobody, are refused', async () => {
  const watch = async (environmentId: string) => {
    const answer = await ground.post(
      'gitpod.v1.EventService/WatchEvents',
      { environmentId },
      { 'Content-Type': 'application/jsonl' },
    )
    return [answer.status, ((await answer.json()) as Answer).code]
  }
  expect(await watch(newId())).toEqual([404, 'not_found'])
  expect(await watch('abc')).toEqual([400, 'invalid_argument'])
  const activitySignal = { source: 'x' }
  const signal = { environmentId: newId(), activitySignal }
  expect(await call('EnvironmentService/MarkEnvironmentActive', signal)).toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('activitySignal.source'),
  })
})

test('a pool that is being deleted is to be deleted', async () => {
  const [projectId, environmentClassId] = [await ground.project('slow'), await ground.classNamed('slow')]
  const pool = { projectId, environmentClassId, minSize: 1, maxSize: 1 }
  const { warmPool } = await call('PrebuildService/CreateWarmPool', pool)
  await eventually(async () => (await ground.native.warmPools.get(warmPool.id)).status.ready === 1, {
    timeoutMilliseconds: 60_000,
  })
  await call('PrebuildService/DeleteWarmPool', { warmPoolId: warmPool.id })
  const { warmPool: going } = await call('PrebuildService/GetWarmPool', { warmPoolId: warmPool.id })
  expect(going.spec.desiredPhase).toBe('WARM_POOL_PHASE_DELETED')
})
