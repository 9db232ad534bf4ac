import { HearthClient } from '@hearth/client'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Ground } from './ground.ts'

let ground: Ground
let projectId: string
let environmentId: string
beforeAll(async () => {
  ground = await Ground.start()
  projectId = await ground.project('quick')
  const { environment } = await call('EnvironmentService/CreateEnvironmentFromProject', { projectId })
  environmentId = environment.id
  await eventually(
    async () => (await ground.native.environments.get(environmentId)).status.phase === 'running',
    { timeoutMilliseconds: 60_000 },
  )
}, 120_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

interface Service {
  id: string
  spec: { commands: { ready?: string }; readinessTimeout?: string }
}
interface Answer {
  code?: string
  message?: string
  accessToken: string
  environment: { id: string }
  service: Service
  environments?: object[]
  tasks?: object[]
  projects?: object[]
  count?: { value?: number }
}

async function call(
  method: string,
  body: unknown,
  token?: string,
  at = `/gitpod.v1.${method}`,
): Promise<Answer> {
  const answer = await fetch(`${ground.baseUrl}${at}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token ?? ground.installation.token}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  })
  return (await answer.json()) as Answer
}
const automation = (method: string, body: object) => call(`EnvironmentAutomationService/${method}`, body)

test('each variable of a task is given once, and none is lost', async () => {
  const create = (env: object[]) =>
    automation('CreateTask', { environmentId, spec: { command: 'make', env } })
  const twice = [
    { name: 'STAGE', value: 'one' },
    { name: 'STAGE', value: 'two' },
  ]
  expect(await create(twice)).toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('spec.env[1].name'),
  })
  expect((await create([{ name: '__proto__', value: 'one' }])).code).toBe('invalid_argument')
})

test('of how a service is ready, what is not given stays', async () => {
  const spec = { commands: { start: 'sleep 100', ready: 'true' }, readinessTimeout: '60s' }
  const { service } = await automation('CreateService', { environmentId, spec })
  const after = async (changed: object) => {
    const refused = await automation('UpdateService', { id: service.id, spec: changed })
    const { spec: now } = (await automation('GetService', { id: service.id })).service
    return [refused.code, now.commands.ready, now.readinessTimeout]
  }
  expect(await after({ readinessTimeout: '120s' })).toEqual([undefined, 'true', '120s'])
  expect(await after({ commands: { ready: 'false' } })).toEqual([undefined, 'false', '120s'])
  expect(await after({ readinessTimeout: '86401s' })).toEqual(['invalid_argument', 'false', '120s'])
  expect(await after({ readinessTimeout: '1.5s' })).toEqual(['invalid_argument', 'false', '120s'])
  expect(await after({ commands: { ready: '' } })).toEqual([undefined, undefined, undefined])
})

test('a machine without a repository has no diff', async () => {
  const { accessToken } = await call('EnvironmentService/CreateEnvironmentAccessToken', { environmentId })
  for (const [method, body] of [
    ['GetGitStatus', {}],
    ['GetGitDiff', { path: 'README.md' }],
  ] as const) {
    const at = `/ops/${environmentId}/supervisor.v1.EnvironmentOpsService/${method}`
    expect([method, await call(method, body, accessToken, at)]).toEqual([
      method,
      { code: 'failed_precondition', message: 'the environment has no git repository' },
    ])
  }
})

test('another organization finds nothing of this one', async () => {
  const { token } = await ground.native.organizations.create({
    name: 'elsewhere',
    spec: { displayName: 'Elsewhere' },
  })
  expect(await new HearthClient({ url: ground.installation.url, token }).whoami()).toBeDefined()
  const classId = await ground.classNamed('quick')
  const one = { environmentId }
  for (const [method, body] of [
    ['EnvironmentService/GetEnvironment', one],
    ['EnvironmentService/UpdateEnvironment', { ...one, metadata: { name: 'theirs' } }],
    ['EnvironmentService/ArchiveEnvironment', one],
    ['EnvironmentService/StartEnvironment', one],
    ['EnvironmentService/MarkEnvironmentActive', one],
    ['EnvironmentService/CreateEnvironmentAccessToken', one],
    ['EnvironmentService/CreateEnvironmentLogsToken', one],
    ['EnvironmentService/AllowPortAccess', { ...one, port: 3_000 }],
    ['EnvironmentService/CreatePortAccessToken', { ...one, port: 3_000 }],
    ['EnvironmentAutomationService/CreateTask', { ...one, spec: { command: 'id' } }],
    ['ProjectService/GetProject', { projectId }],
    ['ProjectService/CreateProjectFromEnvironment', { ...one, name: 'theirs' }],
    ['SecretService/CreateSecret', { name: 'A', value: 'b', projectId, environmentVariable: true }],
    ['RunnerConfigurationService/GetEnvironmentClass', { environmentClassId: classId }],
    ['EnvironmentService/CreateEnvironmentFromProject', { projectId, spec: { machine: { class: classId } } }],
  ] as const)
    expect([method, (await call(method, body, token)).code]).toEqual([method, 'not_found'])
  for (const [method, filter] of [
    ['EnvironmentService/ListEnvironments', { projectIds: [projectId] }],
    ['EnvironmentAutomationService/ListTasks', { environmentIds: [environmentId] }],
    ['ProjectService/ListProjects', { projectIds: [projectId] }],
  ] as const)
    expect([method, listed(await call(method, { filter, count: { include: true } }, token))]).toEqual([
      method,
      [[], [], [], 0],
    ])
})

const listed = ({ environments = [], tasks = [], projects = [], count }: Answer) => [
  environments,
  tasks,
  projects,
  count?.value ?? 0,
]
