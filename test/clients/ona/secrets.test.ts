import { Code, ConnectError } from '@connectrpc/connect'
import Gitpod from '@gitpod/sdk'
import { waitForEnvironmentRunning } from '@gitpod/sdk/lib/environment'
import { setScmPat } from '@gitpod/sdk/lib/runner'
import { EnvironmentAutomationService } from '@hearth/control-plane/ona/gitpod/v1/environment_automation_pb'
import { SecretService } from '@hearth/control-plane/ona/gitpod/v1/secret_pb'
import { isId, newId } from '@hearth/foundation'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formats, Ground } from './ground.ts'

let ground: Ground
let ona: Gitpod
beforeAll(async () => {
  ground = await Ground.start()
  ona = new Gitpod({ baseURL: ground.baseUrl, bearerToken: ground.installation.token })
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

const namesOf = async (projectId: string) => (await ground.native.projects.get(projectId)).spec.secretNames

async function thrownBy(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call
  } catch (thrown) {
    return ConnectError.from(thrown)
  }
  throw new Error('the call was not refused')
}
const codeOf = async (call: Promise<unknown>) => (await thrownBy(call)).code

test('the SDK of the older generation makes, lists page by page, changes and deletes secrets of a project', async () => {
  const projectId = await ground.project()
  for (const name of ['A_TOKEN', 'B_TOKEN', 'C_TOKEN'])
    await ona.secrets.create({ name, value: `hunter2-${name}`, projectId, environmentVariable: true })
  expect(await namesOf(projectId)).toEqual(['A_TOKEN', 'B_TOKEN', 'C_TOKEN'])
  const seen = []
  for await (const secret of ona.secrets.list({
    filter: { projectIds: [projectId] },
    pagination: { pageSize: 1 },
  }))
    seen.push(secret)
  expect(JSON.stringify(seen)).not.toContain('hunter2')
  expect(seen.map(({ name }) => name).toSorted()).toEqual(['A_TOKEN', 'B_TOKEN', 'C_TOKEN'])
  expect(seen.every(({ id = '', environmentVariable }) => isId(id) && environmentVariable)).toBe(true)
  const secretId = seen.find(({ name }) => name === 'B_TOKEN')?.id ?? ''
  const { specVersion } = await ground.native.projects.get(projectId)
  await ona.secrets.updateValue({ secretId, value: 'another' })
  expect((await ground.native.projects.get(projectId)).specVersion).toBe(specVersion + 1)
  await ona.secrets.delete({ secretId })
  expect(await namesOf(projectId)).toEqual(['A_TOKEN', 'C_TOKEN'])
})

describe.each(formats)('secrets over Connect in %s', (format) => {
  const client = () => ground.connect(SecretService, format)
  const mount = { case: 'environmentVariable', value: true } as const

  test('are of one project, and nothing tells their values', async () => {
    const projectId = await ground.project()
    const scope = { scope: { case: 'projectId', value: projectId } } as const
    const { secret } = await client().createSecret({ name: 'TOKEN', value: 'hunter2', scope, mount })
    expect(secret).toMatchObject({ name: 'TOKEN', projectId, mount, scope })
    const secretId = secret?.id ?? ''
    expect((await client().listSecrets({ filter: { scope } })).secrets.map(({ id }) => id)).toEqual([
      secretId,
    ])
    const organization = { scope: { case: 'organizationId', value: newId() } } as const
    expect((await client().listSecrets({ filter: { scope: organization } })).secrets).toEqual([])
    expect(await codeOf(client().getSecretValue({ secretId }))).toBe(Code.Unimplemented)
    expect(await codeOf(client().createSecret({ name: 'TOKEN', value: 'x', projectId, mount }))).toBe(
      Code.AlreadyExists,
    )
    await client().deleteSecret({ secretId })
    expect(await codeOf(client().updateSecretValue({ secretId, value: 'x' }))).toBe(Code.NotFound)
    expect(await codeOf(client().deleteSecret({ secretId: 'TOKEN' }))).toBe(Code.NotFound)
  })

  test('are given to tasks and services by their ids', async () => {
    const projectId = await ground.project('quick')
    const { secret } = await client().createSecret({ name: 'TOKEN', value: 'hunter2', projectId, mount })
    const { environment } = await ona.environments.createFromProject({
      projectId,
      spec: { machine: { class: await ground.classNamed('quick') } },
    })
    const environmentId = environment.id
    await waitForEnvironmentRunning(ona, environmentId)
    const automations = ground.connect(EnvironmentAutomationService, format)
    const referring = (id: string) =>
      ({ case: 'valueFrom', value: { source: { case: 'secretRef', value: { id } } } }) as const
    const env = [
      { name: 'STAGE', source: { case: 'value', value: 'test' } as const },
      { name: 'TOKEN', source: referring(secret?.id ?? '') },
    ]
    const make = (given: typeof env) =>
      automations.createTask({ environmentId, spec: { command: 'echo', env: given } })
    const { task } = await make(env)
    expect(task?.spec?.env).toMatchObject(env)
    expect((await ground.native.tasks.get(task?.id ?? '')).spec).toMatchObject({
      variables: { STAGE: 'test' },
      secrets: ['TOKEN'],
    })
    const { taskExecution } = await automations.startTask({ id: task?.id ?? '' })
    expect(taskExecution?.spec?.plan[0]?.steps[0]?.step.value).toMatchObject({ spec: { env } })
    const { service } = await automations.createService({
      environmentId,
      spec: { commands: { start: 'sleep 1' }, env },
    })
    expect(service?.spec?.env).toMatchObject(env)
    await automations.updateService({ id: service?.id ?? '', spec: { env: env.slice(0, 1) } })
    expect((await ground.native.services.get(service?.id ?? '')).spec.secrets).toEqual([])
    expect(await codeOf(make([{ name: 'TOKEN', source: referring(newId()) }]))).toBe(Code.InvalidArgument)
    expect(await codeOf(make([{ name: 'OTHER', source: referring(secret?.id ?? '') }]))).toBe(
      Code.InvalidArgument,
    )
  })

  test('are refused without a word of their values', async () => {
    const projectId = await ground.project()
    const given = { name: 'TOKEN', value: 'hunter2', projectId, mount }
    const wrong: [object, Code][] = [
      [{ ...given, name: 'a b' }, Code.InvalidArgument],
      [{ ...given, value: 'hunter2\0' }, Code.InvalidArgument],
      [{ ...given, value: `hunter2${'x'.repeat(70_000)}` }, Code.InvalidArgument],
      [{ ...given, projectId: '' }, Code.InvalidArgument],
      [{ ...given, projectId: newId() }, Code.NotFound],
      [{ ...given, mount: { case: 'filePath', value: '/etc/token' } }, Code.FailedPrecondition],
      [{ ...given, scope: { scope: { case: 'userId', value: newId() } } }, Code.PermissionDenied],
      [{ ...given, scope: { scope: { case: 'organizationId', value: newId() } } }, Code.FailedPrecondition],
    ]
    for (const [request, code] of wrong) {
      const thrown = await thrownBy(client().createSecret(request))
      expect([request, thrown.code]).toEqual([request, code])
      expect(thrown.message).not.toContain('hunter2')
    }
    expect(await namesOf(projectId)).toEqual([])
  })
})

test('a person’s own secrets are listed for that person alone, changed and deleted, and a project’s stay apart', async () => {
  const { subject } = await ona.identity.getAuthenticatedIdentity({})
  const scope = { userId: subject?.id ?? '' }
  const { secret } = await ona.secrets.create({
    ...{ name: 'MY_TOKEN', value: 'hunter2-mine', environmentVariable: true },
    scope,
  } as never)
  expect(secret).toMatchObject({ name: 'MY_TOKEN', scope })
  const own = async (client: Gitpod) => {
    const { secrets } = await client.secrets.list({ filter: { scope } as never })
    return secrets.map(({ name }) => name)
  }
  expect(await own(ona)).toEqual(['MY_TOKEN'])
  const { secret: token } = await ground.native.tokens.create({ name: 'another', roles: ['member'] })
  expect(await own(new Gitpod({ baseURL: ground.baseUrl, bearerToken: token }))).toEqual([])
  await ona.secrets.updateValue({ secretId: secret?.id ?? '', value: 'hunter2-other' })
  await ona.secrets.delete({ secretId: secret?.id ?? '' })
  expect(await own(ona)).toEqual([])
})

test('a token for a git host is kept, replaced as the SDK does it, and never shown', async () => {
  const { subject } = await ona.identity.getAuthenticatedIdentity({})
  const userId = subject?.id ?? ''
  const [runner] = (await ona.runners.list({})).runners
  const runnerId = runner?.runnerId ?? ''
  await setScmPat(ona, userId, runnerId, 'git.example.com', 'hunter2-first')
  await setScmPat(ona, userId, runnerId, 'git.example.com', 'hunter2-second')
  const { hostAuthenticationTokens } = ona.runners.configurations
  const { tokens } = await hostAuthenticationTokens.list({ filter: { runnerId, userId } })
  expect(tokens).toMatchObject([{ host: 'git.example.com', runnerId, userId }])
  expect(JSON.stringify(tokens)).not.toContain('hunter2')
  const id = tokens[0]?.id ?? ''
  const end = '2099-01-01T00:00:00Z'
  await hostAuthenticationTokens.update({ id, expiresAt: end } as never)
  expect((await hostAuthenticationTokens.retrieve({ id })).token?.expiresAt).toBe(end)
  await hostAuthenticationTokens.delete({ id })
  expect((await hostAuthenticationTokens.list({ filter: { userId } })).tokens).toEqual([])
})
