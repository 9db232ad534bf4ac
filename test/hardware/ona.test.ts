import { join } from 'node:path'
import { EnvironmentService } from '@hearth/control-plane/ona/gitpod/v1/environment_pb'
import { FileChange_ChangeType as ChangeType } from '@hearth/control-plane/ona/gitpod/v1/environment_resource_pb'
import { EnvironmentPhase } from '@hearth/control-plane/ona/gitpod/v1/environment_spec_pb'
import { PrebuildPhase, PrebuildService } from '@hearth/control-plane/ona/gitpod/v1/prebuild_pb'
import { EnvironmentOpsService, WriteMode } from '@hearth/control-plane/ona/supervisor/v1/environmentopts_pb'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectTo } from '../clients/ona/connect.ts'
import { type GitServer, serveRepository } from './git-server.ts'
import { createGuestClass, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'

/** What Ona's clients do from a prebuild to a command, on a real guest. */
let host: HardwareHost
let git: GitServer
const patience = { timeoutMilliseconds: 500_000, intervalMilliseconds: 500 }
const secret = 's3cret-of-the-shop'

beforeAll(async () => {
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  git = await serveRepository(join(host.folder, 'git'), 'shop', { 'README.md': '# Shop\n', version: '1\n' })
  await host.startAgent('ona', { HEARTH_GUEST_ALLOW: git.opened })
  await createGuestClass(host.client, 'guest', 'debian-12')
})
afterAll(async () => {
  await git?.[Symbol.asyncDispose]()
  await host?.[Symbol.asyncDispose]()
})

it('an environment of a prebuild runs commands, and has files and a repository with its changes', async () => {
  const { url, token } = host.installation
  const baseUrl = `${url}/ona`
  const prebuilds = connectTo(PrebuildService, { baseUrl, token })
  const environments = connectTo(EnvironmentService, { baseUrl, token })
  const { projectId } = await host.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    repositories: [{ url: git.url('shop') }],
    variables: { STAGE: 'test' },
    secrets: { API_KEY: secret },
    setup: ['echo built >/home/shop/built'],
    prebuilds: { classes: ['guest'] },
  })
  const prebuildId = (await prebuilds.createPrebuild({ projectId, spec: {} })).prebuild?.id ?? ''
  await eventually(async () => {
    const { status } = (await prebuilds.getPrebuild({ prebuildId })).prebuild ?? {}
    expect(status?.phase, status?.failureMessage).not.toBe(PrebuildPhase.FAILED)
    return status?.phase === PrebuildPhase.COMPLETED
  }, patience)

  const made = await environments.createEnvironmentFromProject({ projectId })
  const environmentId = made.environment?.id ?? ''
  const address = await eventually(async () => {
    const { status } = (await environments.getEnvironment({ environmentId })).environment ?? {}
    expect(status?.failureMessage).toEqual([])
    return status?.phase === EnvironmentPhase.RUNNING ? (status.environmentUrls?.ops ?? null) : null
  }, patience)
  const { accessToken } = await environments.createEnvironmentAccessToken({ environmentId })
  const ops = connectTo(EnvironmentOpsService, { baseUrl: address, token: accessToken })

  const began = performance.now()
  const ended = await ops.exec({ command: 'cat built; echo "$STAGE $PWD key $API_KEY" >&2; exit 3' })
  console.info(`exec took ${(performance.now() - began).toFixed(0)} ms`)
  expect(ended).toMatchObject({ exitCode: 3, stdout: 'built\n', stderr: 'test /home/shop key ***\n' })
  const again = performance.now()
  expect((await ops.exec({ command: 'true' })).exitCode).toBe(0)
  console.info(`the second one took ${(performance.now() - again).toFixed(0)} ms`)

  const content = new TextEncoder().encode('2\n')
  await ops.writeFile({ path: 'version', content, mode: WriteMode.TRUNCATE })
  const { result } = await ops.readFile({ path: 'version' })
  expect(result).toMatchObject({ case: 'content', value: { data: content, totalSize: 2n } })
  const { status } = await ops.getGitStatus({})
  expect(status).toMatchObject({ branch: 'main', cloneUrl: git.url('shop'), totalUnpushedCommits: 0 })
  expect(status?.changedFiles.map(({ path, changeType }) => [path, changeType])).toEqual([
    ['version', ChangeType.MODIFIED],
    ['built', ChangeType.UNTRACKED],
  ])
  const { hunks } = await ops.getGitDiff({ path: 'version' })
  expect(hunks).toMatchObject([{ originalStartLine: 1, newStartLine: 1, body: '-1\n+2\n' }])

  const late = await ops.exec({ command: 'echo begun; sleep 1000 & sleep 1000', timeoutSeconds: 2 })
  expect(late).toMatchObject({ exitCode: 124, stdout: 'begun\n' })
  expect((await ops.exec({ command: 'pgrep -x sleep' })).exitCode).toBe(1)
})
