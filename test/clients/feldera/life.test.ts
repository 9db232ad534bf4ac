import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import type { FelderaClient } from './client.ts'
import { at, type FelderaWorld, felderaWorld, refused, said } from './world.ts'

/** The life of pipelines, asked for and polled as its clients do, each answer as described. */
let installation: Installation
let agent: SyntheticAgent
let world: FelderaWorld
let client: FelderaClient
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'rack-1' })
  world = felderaWorld(installation)
  ;({ client } = world)
}, 60_000)
afterAll(async () => {
  await agent?.stop()
  await installation?.[Symbol.asyncDispose]()
})

test('a program is compiled, by what it says is followed, and without one nothing starts', async () => {
  const name = `p_${newId().slice(-8)}`
  const { data } = await client.POST('/v0/pipelines', {
    body: { name, program_code: 'CREATE TABLE t (a INT);' },
  })
  expect(data?.program_status).toBe('Pending')
  const compiled = await world.untilProgram(name, 'Success')
  expect(compiled).toMatchObject({ deployment_status: 'Stopped', refresh_version: 2, program_version: 1 })
  const faulty = await world.made({}, { check: 'exit 1' })
  await world.poll(faulty, (seen) => seen.program_status === 'SqlError')
  expect(refused(await world.ask(faulty, 'start'))).toEqual([400, 'CannotStartWithCompilationError'])
  expect(refused(await client.DELETE('/v0/pipelines/{pipeline_name}', at(name)))).toEqual([200, undefined])
})

test('from start to clear, with every status in the events, in order', async () => {
  const name = await world.made()
  expect(said(await world.ask(name, 'start', { initial: 'paused' }))).toEqual([202, 'Pipeline is starting'])
  const paused = await world.untilStatus(name, 'Paused')
  expect(paused).toMatchObject({
    deployment_initial: 'Paused',
    deployment_desired_status: 'Paused',
    deployment_resources_status: 'Provisioned',
    deployment_runtime_status: 'Paused',
    storage_status: 'InUse',
    deployment_error: null,
  })
  expect(paused.deployment_id).not.toBeNull()
  expect(said(await world.ask(name, 'start', { initial: 'paused' }))[0]).toBe(202)
  const resumed = await client.POST('/v0/pipelines/{pipeline_name}/resume', at(name))
  expect(said(resumed)).toEqual([202, 'Pipeline transitioning from Paused to Running'])
  await world.untilStatus(name, 'Running')
  const pause = await client.POST('/v0/pipelines/{pipeline_name}/pause', at(name))
  expect(said(pause)).toEqual([202, 'Pipeline transitioning from Running to Paused'])
  await world.untilStatus(name, 'Paused')
  expect(refused(await client.POST('/v0/pipelines/{pipeline_name}/clear', at(name)))).toEqual([
    400,
    'StorageStatusImmutableUnlessStopped',
  ])
  expect(said(await world.ask(name, 'stop', { force: false }))).toEqual([202, 'Pipeline is suspending'])
  const stopped = await world.untilStatus(name, 'Stopped')
  expect(stopped).toMatchObject({ deployment_initial: null, deployment_id: null, storage_status: 'InUse' })
  expect(refused(await client.DELETE('/v0/pipelines/{pipeline_name}', at(name)))).toEqual([
    400,
    'DeleteRestrictedToClearedStorage',
  ])
  const cleared = await client.POST('/v0/pipelines/{pipeline_name}/clear', at(name))
  expect(said(cleared)).toEqual([202, 'Pipeline storage is being cleared'])
  await world.poll(name, (seen) => seen.storage_status === 'Cleared')
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
    const name = await world.made()
    const ask = (path: 'pause' | 'resume' | 'activate' | 'approve') =>
      client.POST(`/v0/pipelines/{pipeline_name}/${path}`, at(name))
    for (const path of ['pause', 'resume', 'activate', 'approve'] as const)
      expect(refused(await ask(path))).toEqual([503, 'PipelineInteractionNotDeployed'])
    expect(refused(await world.ask(name, 'start', { initial: 'flying' }))).toEqual([
      405,
      'UnsupportedPipelineAction',
    ])
    expect(
      refused(await world.ask(name, 'start', { silent_bootstrap: true, concurrent_bootstrap: true })),
    ).toEqual([400, 'InvalidBootstrap'])
    expect(said(await world.ask(name, 'stop', { force: true }))).toEqual([
      202,
      'Pipeline is forcefully stopping',
    ])
    expect(refused(await world.ask('absent', 'start'))).toEqual([404, 'UnknownPipelineName'])
    expect(refused(await world.ask('absent', 'stop', { force: true }))).toEqual([404, 'UnknownPipelineName'])
  })

  test('of one that runs', async () => {
    const name = await world.made()
    await world.ask(name, 'start')
    expect(refused(await client.DELETE('/v0/pipelines/{pipeline_name}', at(name)))).toEqual([
      400,
      'DeleteRestrictedToFullyStopped',
    ])
    await world.untilStatus(name, 'Running')
    expect(refused(await world.ask(name, 'start', { initial: 'paused' }))).toEqual([
      400,
      'InitialImmutableUnlessStopped',
    ])
    expect(refused(await world.ask(name, 'start', { bootstrap_policy: 'allow' }))).toEqual([
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
    expect(said(await world.ask(name, 'stop', { force: true }))).toEqual([
      202,
      'Pipeline is forcefully stopping',
    ])
    await world.untilStatus(name, 'Stopped')
    const bound = { ...at(name), body: { runtime_config: { workers: 3 } } }
    expect(refused(await client.PATCH('/v0/pipelines/{pipeline_name}', bound))).toEqual([
      400,
      'EditRestrictedToClearedStorage',
    ])
  })

  test('of a standby, which has nothing to store', async () => {
    const name = await world.made()
    await world.ask(name, 'start', { initial: 'standby' })
    await world.untilStatus(name, 'Standby')
    expect(refused(await world.ask(name, 'stop', { force: false }))).toEqual([
      405,
      'UnsupportedPipelineAction',
    ])
    expect(refused(await client.POST('/v0/pipelines/{pipeline_name}/resume', at(name)))).toEqual([
      400,
      'IllegalPipelineAction',
    ])
    const activated = await client.POST('/v0/pipelines/{pipeline_name}/activate', at(name))
    expect(said(activated)).toEqual([202, 'Pipeline transitioning from Standby to Running'])
    await world.untilStatus(name, 'Running')
    await world.ask(name, 'stop', { force: true })
  })
})

test('one that ends by itself has an error, which a start dismisses unless it is told not to', async () => {
  const running = JSON.stringify({ desired: 'running', bootstrap: 'await_approval', isApproved: false })
  const name = await world.made({ more: [`# simulated: on ${running} after 0.1 exit 3`] })
  await world.ask(name, 'start')
  const { deployment_error } = await world.poll(
    name,
    (seen) => seen.deployment_status === 'Stopped' && seen.deployment_error !== null,
  )
  expect(deployment_error).toMatchObject({ error_code: 'RuntimeEnded', details: { exitCode: 3 } })
  expect(refused(await world.ask(name, 'start', { dismiss_error: false }))).toEqual([
    400,
    'CannotStartWithUndismissedError',
  ])
  expect((await world.ask(name, 'start')).response.status).toBe(202)
  await world.poll(name, (seen) => seen.deployment_status === 'Stopped' && seen.deployment_error !== null)
  const dismissed = await client.POST('/v0/pipelines/{pipeline_name}/dismiss_error', at(name))
  expect(dismissed.response.status).toBe(200)
  expect((await world.status(name)).deployment_error).toBeNull()
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
