import { ConnectError } from '@connectrpc/connect'
import { EnvironmentService } from '@hearth/control-plane/ona/gitpod/v1/environment_pb'
import { RunnerConfigurationService } from '@hearth/control-plane/ona/gitpod/v1/runner_configuration_pb'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Ground } from './ground.ts'

let ground: Ground
beforeAll(async () => {
  ground = await Ground.start()
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

interface Body {
  code?: string
  message?: string
  subject?: { id: string }
  secret?: { id: string }
  environment?: { id: string; metadata: { projectId: string } }
}
interface Answered extends Pick<Body, 'code' | 'message'> {
  status: number
  body: Body
}

/** The answer to a call as the older generation makes it. */
async function call(method: string, body: unknown): Promise<Answered> {
  const answer = await ground.post(`gitpod.v1.${method}`, body)
  const given = (await answer.json()) as Body
  const { code, message } = given
  return {
    status: answer.status,
    ...(code === undefined ? {} : { code, message: message ?? '' }),
    body: given,
  }
}
const own = async () => (await call('IdentityService/GetAuthenticatedIdentity', {})).body.subject?.id ?? ''

test('nothing that refuses a secret or a token of one’s own repeats it', async () => {
  const userId = await own()
  for (const value of [`hunter2${'x'.repeat(20_000)}`, 'hunter2\0']) {
    const secret = { name: 'BIG', value, scope: { userId }, environmentVariable: true }
    const token = { host: 'git.example.com', token: value }
    for (const refused of [
      await call('SecretService/CreateSecret', secret),
      await call('RunnerConfigurationService/CreateHostAuthenticationToken', token),
    ]) {
      expect([refused.status, refused.code]).toEqual([400, 'invalid_argument'])
      expect(refused.message).toContain('value')
      expect(JSON.stringify(refused)).not.toContain('hunter2')
    }
  }
})

test('an address with a password in it is kept by no environment', async () => {
  const projectId = await ground.project('quick')
  for (const given of [
    { contextUrl: { url: 'https://me:hunter2@git.example.com/ours/shop' } },
    { git: { remoteUri: 'https://hunter2@git.example.com/ours/shop' } },
  ]) {
    const spec = { content: { initializer: { specs: [given] } } }
    const refused = await call('EnvironmentService/CreateEnvironmentFromProject', { projectId, spec })
    expect(refused).toMatchObject({ status: 400, code: 'invalid_argument' })
    expect(refused.message).toContain('spec.content.initializer.specs[0]')
    expect(JSON.stringify(refused)).not.toContain('hunter2')
  }
})

test('environments of the same repositories that are asked for at once are of one project', async () => {
  const specs = [{ contextUrl: { url: 'https://git.example.com/ours/at-once' } }]
  const spec = { machine: { class: await ground.classNamed('quick') }, content: { initializer: { specs } } }
  const made = await Promise.all(
    Array.from({ length: 6 }, () => call('EnvironmentService/CreateEnvironment', { spec })),
  )
  expect(made.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200))
  expect(new Set(made.map(({ body }) => body.environment?.metadata.projectId)).size).toBe(1)
})

test('what is full, or in a state that refuses it, is not said to exist', async () => {
  const scope = { userId: await own() }
  const keep = (name: string) =>
    call('SecretService/CreateSecret', { name, value: 'x', scope, environmentVariable: true })
  const kept = await Promise.all(Array.from({ length: 32 }, (_, index) => keep(`S_${index}`)))
  expect(kept.every(({ status }) => status === 200)).toBe(true)
  expect(await keep('ONE_MORE')).toMatchObject({ status: 400, code: 'failed_precondition' })
  for (const { body } of kept) await call('SecretService/DeleteSecret', { secretId: body.secret?.id })
  await keep('TWICE')
  expect(await keep('TWICE')).toMatchObject({ status: 409, code: 'already_exists' })
})

test('a secret is not kept in another way than it was asked for', async () => {
  const projectId = await ground.project()
  const secret = { name: 'TOKEN', value: 'hunter2', projectId, environmentVariable: true }
  const credentialProxy = { targetHosts: ['api.example.com'], header: 'Authorization' }
  const refused = await call('SecretService/CreateSecret', { ...secret, credentialProxy })
  expect(refused).toMatchObject({ status: 400, code: 'failed_precondition' })
  expect(refused.message).toContain('credentialProxy')
  const fetched = { ...secret, source: { oidcJfrog: { host: 'jfrog.example.com' } } }
  expect(await call('SecretService/CreateSecret', fetched)).toMatchObject({ code: 'failed_precondition' })
  expect((await ground.native.projects.get(projectId)).spec.secretNames).toEqual([])
})

test('what is no id is refused as such', async () => {
  const configuration = 'RunnerConfigurationService'
  for (const [method, body, code] of [
    ['SecretService/ListSecrets', { filter: { scope: { projectId: 'abc' } } }, 'invalid_argument'],
    [
      'SecretService/CreateSecret',
      { name: 'TOKEN', value: 'x', projectId: 'shop', environmentVariable: true },
      'invalid_argument',
    ],
    [`${configuration}/UpdateHostAuthenticationToken`, { id: 'abc', token: 'x' }, 'not_found'],
    [
      `${configuration}/CreateHostAuthenticationToken`,
      { runnerId: 'abc', host: 'git.example.com', token: 'x' },
      'invalid_argument',
    ],
  ] as const)
    expect([method, (await call(method, body)).code]).toEqual([method, code])
})

test('a time that binary can say and nobody means is refused', async () => {
  const never = { seconds: 1n << 60n, nanos: 0 }
  const environments = ground.connect(EnvironmentService)
  const configuration = ground.connect(RunnerConfigurationService)
  const said = async (asked: Promise<unknown>) =>
    ConnectError.from(
      await asked.then(
        () => new Error('it was not refused'),
        (thrown: unknown) => thrown,
      ),
    ).message
  expect(await said(environments.listEnvironments({ filter: { createdBefore: never } }))).toMatch(
    /^\[invalid_argument\] filter\.createdBefore/,
  )
  expect(
    await said(
      configuration.createHostAuthenticationToken({
        host: 'git.example.com',
        token: newId(),
        expiresAt: never,
      }),
    ),
  ).toMatch(/^\[invalid_argument\] expiresAt/)
})

test('names that are the same to Hearth are kept apart', async () => {
  const initializer = { specs: [{ git: { remoteUri: 'https://git.example.com/ours/shop' } }] }
  const configuration = Object.entries({
    virtualCpus: '1',
    memoryMebibytes: '512',
    diskGibibytes: '4',
    image: 'debian-12',
  }).map(([key, value]) => ({ key, value }))
  const classOf = (displayName: string, more: object[] = []) =>
    call('RunnerConfigurationService/CreateEnvironmentClass', {
      displayName,
      description: 'one of two',
      configuration: [...configuration, ...more],
    })
  const made = await Promise.all([
    ...['Shop', 'Shop', 'Shop'].map((name) => call('ProjectService/CreateProject', { name, initializer })),
    ...['大きい機械', '小さい機械'].map((name) => classOf(name)),
    ...['日本語', '中文字'].map((name) => call('RunnerService/CreateRunner', { name })),
  ])
  expect(made.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 200))
  const twice = await classOf('twice', [{ key: 'virtualCpus', value: '2' }])
  expect(twice).toMatchObject({ code: 'invalid_argument' })
  const last = configuration.map((one) => (one.key === 'virtualCpus' ? { ...one, value: '0x1' } : one))
  const wrong = { displayName: 'wrong', description: 'in base 16', configuration: last }
  expect((await call('RunnerConfigurationService/CreateEnvironmentClass', wrong)).message).toContain(
    'virtualCpus',
  )
})

test('a project offers classes by their ids, and none that is on somebody’s own machine', async () => {
  const projectId = await ground.project()
  const offer = (one: object) =>
    call('ProjectService/UpdateProjectEnvironmentClasses', { projectId, projectEnvironmentClasses: [one] })
  expect(await offer({ environmentClassId: 'quick' })).toMatchObject({ code: 'invalid_argument' })
  expect(await offer({ localRunner: true })).toMatchObject({ code: 'failed_precondition' })
  expect((await ground.native.projects.get(projectId)).spec.environmentClasses).toEqual([])
  expect((await offer({ environmentClassId: await ground.classNamed('quick') })).status).toBe(200)
})

test('what is changed at the same time is not lost', async () => {
  const projectId = await ground.project()
  const update = (changed: object) => call('ProjectService/UpdateProject', { projectId, ...changed })
  for (let turn = 0; turn < 5; turn += 1) {
    await Promise.all([
      update({ name: `Shop ${turn}` }),
      update({ automationsFilePath: `ona/${turn}.yaml` }),
      update({ devcontainerFilePath: `devcontainer/${turn}.json` }),
    ])
    expect((await ground.native.projects.get(projectId)).metadata.labels).toMatchObject({
      'ona/name': `Shop ${turn}`,
      'ona/automations-file': `ona/${turn}.yaml`,
      'ona/devcontainer-file': `devcontainer/${turn}.json`,
    })
  }
})
