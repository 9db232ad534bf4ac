import { Code, ConnectError } from '@connectrpc/connect'
import { IdentityService } from '@hearth/control-plane/ona/gitpod/v1/identity_pb'
import { PrebuildService } from '@hearth/control-plane/ona/gitpod/v1/prebuild_pb'
import {
  RunnerConfigurationService,
  RunnerKind,
} from '@hearth/control-plane/ona/gitpod/v1/runner_configuration_pb'
import { RunnerPhase, RunnerService } from '@hearth/control-plane/ona/gitpod/v1/runner_pb'
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

test('hosts are runners, and a page of a repository names its projects', async () => {
  const client = ground.connect(RunnerService)
  // A host is only created until its agent has been heard.
  const runners = await eventually(
    async () => {
      const listed = (await client.listRunners({})).runners
      return listed.some(({ status }) => status?.phase === RunnerPhase.CREATED) ? null : listed
    },
    { timeoutMilliseconds: 60_000 },
  )
  expect(runners.map(({ name, status }) => [name, status?.phase])).toEqual([
    ['slow', RunnerPhase.ACTIVE],
    ['quick', RunnerPhase.ACTIVE],
  ])
  const runnerId = runners[0]?.runnerId ?? ''
  expect((await client.getRunner({ runnerId })).runner?.status?.version).not.toBe('')
  const url = 'https://git.example.com/ours/shop'
  const { projectId } = await ground.native.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    repositories: [{ url: `${url}.git` }],
  })
  const parsed = await client.parseContextURL({ contextUrl: `${url}/tree/new/door` })
  expect(parsed).toMatchObject({ git: { branch: 'new/door', owner: 'ours' }, projectIds: [projectId] })
  expect((await client.checkAuthenticationForHost({ host: 'git.example.com' })).authenticated).toBe(true)
})

test('a member does what members may, a viewer reads, and runners are the administrators’', async () => {
  const codeAs = async (
    role: 'member' | 'viewer',
    call: (client: ReturnType<typeof clientsOf>) => Promise<unknown>,
  ) => {
    const { secret } = await ground.native.tokens.create({
      name: `${role}-${newId()}`.slice(0, 40),
      roles: [role],
    })
    return call(clientsOf(secret)).then(
      () => null,
      (thrown: unknown) => ConnectError.from(thrown).code,
    )
  }
  const clientsOf = (token: string) => ({
    identity: ground.connect(IdentityService, 'binary', token),
    prebuilds: ground.connect(PrebuildService, 'binary', token),
    runners: ground.connect(RunnerService, 'binary', token),
  })
  const projectId = await ground.project('quick')
  expect(await codeAs('viewer', ({ prebuilds }) => prebuilds.listPrebuilds({}))).toBeNull()
  expect(await codeAs('viewer', ({ identity }) => identity.getAuthenticatedIdentity({}))).toBeNull()
  expect(await codeAs('viewer', ({ prebuilds }) => prebuilds.createPrebuild({ projectId, spec: {} }))).toBe(
    Code.PermissionDenied,
  )
  expect(
    await codeAs('member', ({ prebuilds }) => prebuilds.createPrebuild({ projectId, spec: {} })),
  ).toBeNull()
  const { runners } = await ground.connect(RunnerService).listRunners({})
  const runnerId = runners[0]?.runnerId ?? ''
  expect(await codeAs('member', (clients) => clients.runners.deleteRunner({ runnerId }))).toBe(
    Code.PermissionDenied,
  )
})

test('a runner is made, called something else, cordoned, and given another token for its agent', async () => {
  const client = ground.connect(RunnerService)
  const { runner, exchangeToken } = await client.createRunner({
    name: 'The new rack',
    kind: RunnerKind.REMOTE,
    spec: { configuration: { region: 'here' } },
  })
  const runnerId = runner?.runnerId ?? ''
  expect(runner).toMatchObject({
    name: 'The new rack',
    status: { phase: RunnerPhase.CREATED, region: 'here' },
  })
  const registered = (token: string) =>
    fetch(`${ground.installation.url}/v1/runners/${runnerId}/credentials`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
    }).then(({ status }) => status)
  const { exchangeToken: second } = await client.createRunnerToken({ runnerId })
  expect(second).not.toBe(exchangeToken)
  expect([await registered(exchangeToken), await registered(second)]).not.toContain(401)
  await client.updateRunner({ runnerId, name: 'Rack 7', spec: { desiredPhase: RunnerPhase.INACTIVE } })
  const { runner: changed } = await client.getRunner({ runnerId })
  expect(changed).toMatchObject({ name: 'Rack 7', spec: { desiredPhase: RunnerPhase.INACTIVE } })
  expect((await ground.native.runners.get(runnerId)).spec.scheduling).toBe('cordoned')
  const code = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (thrown: unknown) => ConnectError.from(thrown).code,
    )
  expect(await code(client.updateRunner({ runnerId, spec: { configuration: {} } }))).toBe(
    Code.FailedPrecondition,
  )
  expect(await code(client.createRunner({ name: 'mine', kind: RunnerKind.LOCAL }))).toBe(
    Code.FailedPrecondition,
  )
  for (let count = 2; count < 5; count += 1) await client.createRunnerToken({ runnerId })
  expect(await code(client.createRunnerToken({ runnerId }))).toBe(Code.FailedPrecondition)
  await client.deleteRunner({ runnerId })
  expect(await registered(second)).toBe(401)
})

test('a class is made with its size, described otherwise, and refused without a size or with another key', async () => {
  const client = ground.connect(RunnerConfigurationService)
  const size = { virtualCpus: '2', memoryMebibytes: '1024', diskGibibytes: '8' }
  const configuration = Object.entries(size).map(([key, value]) => ({ key, value }))
  const given = { displayName: 'Two cores', description: 'for builds', configuration }
  const { id: environmentClassId } = await client.createEnvironmentClass(given)
  await client.updateEnvironmentClass({ environmentClassId, description: 'for tests' })
  const { environmentClass } = await client.getEnvironmentClass({ environmentClassId })
  expect(environmentClass).toMatchObject({
    displayName: 'Two cores',
    description: 'for tests',
    enabled: true,
  })
  expect((await ground.native.environmentClasses.get('two-cores')).spec).toMatchObject({ virtualCpus: 2 })
  await expect(client.createEnvironmentClass({ ...given, configuration: [] })).rejects.toThrow(/virtualCpus/)
  await expect(
    client.createEnvironmentClass({ ...given, configuration: [{ key: 'machineType', value: 'm5' }] }),
  ).rejects.toThrow(/machineType/)
  await expect(client.updateEnvironmentClass({ environmentClassId, enabled: false })).rejects.toThrow(
    /enabled/,
  )
})
