import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { simulatedRun } from '../../system/pipeline-world.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import { type FelderaClient, felderaClient } from './client.ts'

/** The life of pipelines, asked for and polled as its clients do, each answer as described. */
let installation: Installation
let agent: SyntheticAgent
let client: FelderaClient
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'rack-1' })
  client = felderaClient(installation.url, `apikey:${installation.token}`)
}, 60_000)
afterAll(async () => {
  await agent?.stop()
  await installation?.[Symbol.asyncDispose]()
})

const at = (pipeline_name: string) => ({ params: { path: { pipeline_name } } })
const refused = ({ error, response }: { error?: unknown; response: Response }) => [
  response.status,
  (error as { error_code?: string } | undefined)?.error_code,
]
/** What a program is run with cannot be said there: a pipeline is made natively, and then is one of theirs. */
async function made(options: Parameters<typeof simulatedRun>[0] = {}, more: object = {}): Promise<string> {
  const name = `p_${newId().slice(-8)}`
  const configuration = { run: simulatedRun(options), ...more }
  await installation.client.pipelines.create({
    name,
    spec: {
      program: { toolchain: 'command', code: 'x', configuration },
      runtime: { storageMebibytes: 64, takesStandby: true },
    },
  })
  return name
}
async function status(name: string) {
  const { data } = await client.GET('/v0/pipelines/{pipeline_name}', {
    params: { path: { pipeline_name: name }, query: { selector: 'status' } },
  })
  if (data === undefined) throw new Error(`there is no pipeline ${name}`)
  return data
}
type Status = Awaited<ReturnType<typeof status>>
/** As the Python client waits: it asks again until it is so, and gives up on an error that it does not want. */
const poll = (name: string, wanted: (seen: Status) => boolean) =>
  eventually(
    async () => {
      const seen = await status(name)
      return wanted(seen) ? seen : null
    },
    { timeoutMilliseconds: 60_000 },
  )
const untilStatus = (name: string, wanted: Status['deployment_status']) =>
  poll(name, (seen) => seen.deployment_status === wanted)
const untilCompiled = (name: string) => poll(name, (seen) => seen.program_status === 'Success')
const start = (name: string, query: NonNullable<Parameters<typeof startWith>[1]> = {}) =>
  startWith(name, query)
function startWith(
  pipeline_name: string,
  query: {
    initial?: string
    bootstrap_policy?: 'allow'
    silent_bootstrap?: boolean
    concurrent_bootstrap?: boolean
    dismiss_error?: boolean
  },
) {
  return client.POST('/v0/pipelines/{pipeline_name}/start', { params: { path: { pipeline_name }, query } })
}
const stop = (pipeline_name: string, force: boolean) =>
  client.POST('/v0/pipelines/{pipeline_name}/stop', { params: { path: { pipeline_name }, query: { force } } })
const said = ({ data, response }: { data?: unknown; response: Response }) => [response.status, data]

test('a program is compiled, by what it says is followed, and without one nothing starts', async () => {
  const name = `p_${newId().slice(-8)}`
  const { data } = await client.POST('/v0/pipelines', {
    body: { name, program_code: 'CREATE TABLE t (a INT);' },
  })
  expect(data?.program_status).toBe('Pending')
  const compiled = await untilCompiled(name)
  expect(compiled).toMatchObject({ deployment_status: 'Stopped', refresh_version: 2, program_version: 1 })
  const faulty = await made({}, { check: 'exit 1' })
  await poll(faulty, (seen) => seen.program_status === 'SqlError')
  expect(refused(await start(faulty))).toEqual([400, 'CannotStartWithCompilationError'])
  expect(refused(await client.DELETE('/v0/pipelines/{pipeline_name}', at(name)))).toEqual([200, undefined])
})

test('from start to clear, with every status in the events, in order', async () => {
  const name = await made()
  expect(said(await start(name, { initial: 'paused' }))).toEqual([202, 'Pipeline is starting'])
  const paused = await untilStatus(name, 'Paused')
  expect(paused).toMatchObject({
    deployment_initial: 'Paused',
    deployment_desired_status: 'Paused',
    deployment_resources_status: 'Provisioned',
    deployment_runtime_status: 'Paused',
    storage_status: 'InUse',
    deployment_error: null,
  })
  expect(paused.deployment_id).not.toBeNull()
  expect(said(await start(name, { initial: 'paused' }))[0]).toBe(202)
  const resumed = await client.POST('/v0/pipelines/{pipeline_name}/resume', at(name))
  expect(said(resumed)).toEqual([202, 'Pipeline transitioning from Paused to Running'])
  await untilStatus(name, 'Running')
  const pause = await client.POST('/v0/pipelines/{pipeline_name}/pause', at(name))
  expect(said(pause)).toEqual([202, 'Pipeline transitioning from Running to Paused'])
  await untilStatus(name, 'Paused')
  expect(refused(await client.POST('/v0/pipelines/{pipeline_name}/clear', at(name)))).toEqual([
    400,
    'StorageStatusImmutableUnlessStopped',
  ])
  expect(said(await stop(name, false))).toEqual([202, 'Pipeline is suspending'])
  const stopped = await untilStatus(name, 'Stopped')
  expect(stopped).toMatchObject({ deployment_initial: null, deployment_id: null, storage_status: 'InUse' })
  expect(refused(await client.DELETE('/v0/pipelines/{pipeline_name}', at(name)))).toEqual([
    400,
    'DeleteRestrictedToClearedStorage',
  ])
  const cleared = await client.POST('/v0/pipelines/{pipeline_name}/clear', at(name))
  expect(said(cleared)).toEqual([202, 'Pipeline storage is being cleared'])
  await poll(name, (seen) => seen.storage_status === 'Cleared')
  const { data = [] } = await client.GET('/v0/pipelines/{pipeline_name}/events', at(name))
  const combined = data
    .toReversed()
    .map((event) => event.deployment_runtime_status ?? event.deployment_resources_status)
  expect(combined.filter((word, index) => word !== combined[index - 1])).toEqual([
    ...[
      'Stopped',
      'Provisioning',
      'Initializing',
      'Paused',
      'Running',
      'Paused',
      'Suspended',
      'Stopping',
      'Stopped',
    ],
  ])
  expect((await client.DELETE('/v0/pipelines/{pipeline_name}', at(name))).response.status).toBe(200)
})

describe('what is asked for at the wrong time', () => {
  test('of one that is stopped', async () => {
    const name = await made()
    const ask = (path: 'pause' | 'resume' | 'activate' | 'approve') =>
      client.POST(`/v0/pipelines/{pipeline_name}/${path}`, at(name))
    for (const path of ['pause', 'resume', 'activate', 'approve'] as const)
      expect(refused(await ask(path))).toEqual([503, 'PipelineInteractionNotDeployed'])
    expect(refused(await start(name, { initial: 'flying' }))).toEqual([405, 'UnsupportedPipelineAction'])
    expect(refused(await start(name, { silent_bootstrap: true, concurrent_bootstrap: true }))).toEqual([
      400,
      'InvalidBootstrap',
    ])
    expect(said(await stop(name, true))).toEqual([202, 'Pipeline is forcefully stopping'])
    expect(refused(await start('absent'))).toEqual([404, 'UnknownPipelineName'])
    expect(refused(await stop('absent', true))).toEqual([404, 'UnknownPipelineName'])
  })

  test('of one that runs', async () => {
    const name = await made()
    await start(name)
    expect(refused(await client.DELETE('/v0/pipelines/{pipeline_name}', at(name)))).toEqual([
      400,
      'DeleteRestrictedToFullyStopped',
    ])
    await untilStatus(name, 'Running')
    expect(refused(await start(name, { initial: 'paused' }))).toEqual([400, 'InitialImmutableUnlessStopped'])
    expect(refused(await start(name, { bootstrap_policy: 'allow' }))).toEqual([
      400,
      'BootstrapPolicyImmutableUnlessStopped',
    ])
    const patch = { ...at(name), body: { description: 'x' } }
    expect(refused(await client.PATCH('/v0/pipelines/{pipeline_name}', patch))).toEqual([
      400,
      'UpdateRestrictedToStopped',
    ])
    expect(refused(await client.POST('/v0/pipelines/{pipeline_name}/approve', at(name)))).toEqual([
      400,
      'IllegalPipelineAction',
    ])
    expect(said(await stop(name, true))).toEqual([202, 'Pipeline is forcefully stopping'])
    await untilStatus(name, 'Stopped')
    const bound = { ...at(name), body: { runtime_config: { workers: 3 } } }
    expect(refused(await client.PATCH('/v0/pipelines/{pipeline_name}', bound))).toEqual([
      400,
      'EditRestrictedToClearedStorage',
    ])
  })

  test('of a standby, which has nothing to store', async () => {
    const name = await made()
    await start(name, { initial: 'standby' })
    await untilStatus(name, 'Standby')
    expect(refused(await stop(name, false))).toEqual([405, 'UnsupportedPipelineAction'])
    expect(refused(await client.POST('/v0/pipelines/{pipeline_name}/resume', at(name)))).toEqual([
      400,
      'IllegalPipelineAction',
    ])
    const activated = await client.POST('/v0/pipelines/{pipeline_name}/activate', at(name))
    expect(said(activated)).toEqual([202, 'Pipeline transitioning from Standby to Running'])
    await untilStatus(name, 'Running')
    await stop(name, true)
  })
})

test('one that ends by itself has an error, which a start dismisses unless it is told not to', async () => {
  const running = JSON.stringify({ desired: 'running', bootstrap: 'await_approval', isApproved: false })
  const name = await made({ more: [`# simulated: on ${running} after 0.1 exit 3`] })
  await start(name)
  const { deployment_error } = await poll(
    name,
    (seen) => seen.deployment_status === 'Stopped' && seen.deployment_error !== null,
  )
  expect(deployment_error).toMatchObject({ error_code: 'RuntimeEnded', details: { exitCode: 3 } })
  expect(refused(await start(name, { dismiss_error: false }))).toEqual([
    400,
    'CannotStartWithUndismissedError',
  ])
  expect((await start(name)).response.status).toBe(202)
  await poll(name, (seen) => seen.deployment_status === 'Stopped' && seen.deployment_error !== null)
  const dismissed = await client.POST('/v0/pipelines/{pipeline_name}/dismiss_error', at(name))
  expect(dismissed.response.status).toBe(200)
  expect((await status(name)).deployment_error).toBeNull()
})

test('its cluster is healthy while any runner answers, also one that takes nothing new, and says which', async () => {
  const { runners } = installation.client
  const message = async () => (await client.GET('/v0/cluster_healthz')).data?.runner.message
  expect(await message()).toBe('runner rack-1 is active')
  await runners.update('rack-1', { spec: { scheduling: 'draining' } })
  const draining = 'the runners are draining, such as rack-1: what runs goes on, nothing new is begun'
  await eventually(async () => ((await message()) === draining ? true : null), {
    timeoutMilliseconds: 30_000,
  })
})
