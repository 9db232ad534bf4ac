import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Ground } from './ground.ts'

let ground: Ground
beforeAll(async () => {
  ground = await Ground.start()
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

interface Listed {
  code?: string
  count?: { value?: number; relation: string }
  environments?: { id: string; status: { phase: string } }[]
  projects?: { id: string }[]
  prebuilds?: { id: string }[]
  runners?: { runnerId: string }[]
  environmentClasses?: { id: string }[]
}

async function list(method: string, body: unknown): Promise<Listed> {
  return (await (await ground.post(`gitpod.v1.${method}`, body)).json()) as Listed
}

const environment = async (projectId: string, kind: string) => {
  const spec = { machine: { class: await ground.classNamed(kind) } }
  const answer = await ground.post('gitpod.v1.EnvironmentService/CreateEnvironmentFromProject', {
    projectId,
    spec,
  })
  return ((await answer.json()) as { environment: { id: string } }).environment.id
}

test('a list of environments has those that the filter names, as they are shown, and their number', async () => {
  const projectId = await ground.project('quick', 'slow')
  const ids = [await environment(projectId, 'quick'), await environment(projectId, 'slow')]
  const listed = async (filter: object) =>
    (await list('EnvironmentService/ListEnvironments', { filter })).environments ?? []
  const running = { statusPhases: ['ENVIRONMENT_PHASE_RUNNING'] }
  await eventually(async () => (await listed(running)).length === 2, { timeoutMilliseconds: 60_000 })
  await ground.post('gitpod.v1.EnvironmentService/StopEnvironment', { environmentId: ids[1] })
  expect((await listed(running)).map(({ id }) => id)).toEqual([ids[0]])
  const off = { statusPhases: ['ENVIRONMENT_PHASE_STOPPING', 'ENVIRONMENT_PHASE_STOPPED'] }
  expect((await listed(off)).map(({ id }) => id)).toEqual([ids[1]])
  for (const filter of [
    { statusPhases: ['ENVIRONMENT_PHASE_UPDATING'] },
    { roles: ['ENVIRONMENT_ROLE_WORKFLOW'] },
    { runnerKinds: ['RUNNER_KIND_LOCAL'] },
    { lockdownBefore: '2099-01-01T00:00:00Z' },
    { projectIds: [newId()] },
  ])
    expect([filter, await listed(filter)]).toEqual([filter, []])
  for (const filter of [
    { statusPhases: ['ENVIRONMENT_PHASE_UNSPECIFIED'] },
    { runnerKinds: ['RUNNER_KIND_REMOTE'] },
  ])
    expect(await listed(filter)).toHaveLength(2)
  const pagination = { pageSize: 1 }
  const counted = { pagination, filter: { projectIds: [projectId] }, count: { include: true } }
  const page = await list('EnvironmentService/ListEnvironments', counted)
  expect(page.environments).toHaveLength(1)
  expect(page.count).toEqual({ value: 2, relation: 'COUNT_RESPONSE_RELATION_EQ' })
  expect((await list('EnvironmentService/ListEnvironments', {})).count).toBeUndefined()
  const sort = { field: 'SORT_FIELD_ARCHIVED_AT', order: 'SORT_ORDER_ASC' }
  expect(await list('EnvironmentService/ListEnvironments', { sort })).toMatchObject({
    code: 'failed_precondition',
  })
})

test('projects are found by a part of their name and by their repositories', async () => {
  const create = async (name: string, remoteUri: string) => {
    const initializer = { specs: [{ git: { remoteUri } }] }
    const answer = await ground.post('gitpod.v1.ProjectService/CreateProject', { name, initializer })
    return ((await answer.json()) as { project: { id: string } }).project.id
  }
  const shop = await create('Our Shop', 'https://git.example.com/ours/shop.git')
  const cart = await create('Cart', 'https://git.example.com/ours/cart')
  const found = async (filter: object) =>
    ((await list('ProjectService/ListProjects', { filter })).projects ?? []).map(({ id }) => id)
  expect(await found({ search: 'our shop' })).toEqual([shop])
  expect(await found({ search: 'nothing like it' })).toEqual([])
  expect(await found({ specRemoteUris: ['https://git.example.com/ours/shop'] })).toEqual([shop])
  expect(await found({ specRemoteUris: ['https://git.example.com/ours/cart.git'], search: 'c' })).toEqual([
    cart,
  ])
  expect(await found({ runnerKinds: ['RUNNER_KIND_LOCAL'] })).toEqual([])
  const one = { pagination: { pageSize: 1 }, filter: { projectIds: [shop, cart] }, count: { include: true } }
  expect((await list('ProjectService/ListProjects', one)).count?.value).toBe(2)
  const long = { filter: { search: 'x'.repeat(257) } }
  expect((await list('ProjectService/ListProjects', long)).code).toBe('invalid_argument')
})

test('a filter that names what nothing here is finds nothing', async () => {
  const projectId = await ground.project('quick')
  const environmentClassId = await ground.classNamed('quick')
  await ground.post('gitpod.v1.PrebuildService/CreatePrebuild', { projectId, environmentClassId, spec: {} })
  for (const [method, filter] of [
    ['RunnerService/ListRunners', { kinds: ['RUNNER_KIND_LOCAL'] }],
    ['RunnerService/ListRunners', { providers: ['RUNNER_PROVIDER_AWS_EC2'] }],
    ['RunnerConfigurationService/ListEnvironmentClasses', { canCreateEnvironments: false }],
    ['EnvironmentService/ListEnvironmentClasses', { runnerProviders: ['RUNNER_PROVIDER_MANAGED'] }],
    ['PrebuildService/ListPrebuilds', { phases: [99] }],
  ] as const) {
    const { runners = [], environmentClasses = [], prebuilds = [] } = await list(method, { filter })
    expect([method, runners, environmentClasses, prebuilds]).toEqual([method, [], [], []])
  }
  expect((await list('RunnerService/ListRunners', { filter: { kinds: [2] } })).runners).toHaveLength(2)
})

test('a size of a page that is no number is refused in the query as in the body', async () => {
  const listed = await list('PrebuildService/ListPrebuilds?pageSize=many', {})
  expect(listed.code).toBe('invalid_argument')
  expect((await list('PrebuildService/ListPrebuilds?pageSize=1', {})).prebuilds ?? []).toHaveLength(1)
})
