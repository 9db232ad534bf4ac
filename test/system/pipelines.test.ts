import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { pipelineWorld, simulatedRun, tell } from './pipeline-world.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** The life of pipelines on a synthetic host, whose programs tell what they are made to. */
let installation: Installation
let agent: SyntheticAgent
let client: HearthClient

beforeAll(async () => {
  installation = await startInstallation()
  client = installation.client
  agent = await startSyntheticAgent(installation, { name: 'rack-1' })
}, 60_000)
afterAll(async () => {
  await agent?.stop()
  await installation?.[Symbol.asyncDispose]()
})

const world = pipelineWorld(() => installation)
const each = <Value>(values: readonly Value[]) => values.filter((value, index) => value !== values[index - 1])
const refusalOf = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error: { facts?: { refusal?: string } }) => error.facts?.refusal ?? String(error),
  )

test('a new program is checked, built and kept, each step an event, and its machine is given back', async () => {
  const id = await world.compiled({ check: 'sleep 0.1', build: 'sleep 0.1' })
  const events = await world.events(id)
  expect(each(events.map(({ programStatus }) => programStatus))).toEqual([
    ...['pending', 'checking', 'checked', 'building', 'success'],
  ])
  const { spec, status } = await world.get(id)
  expect([spec.desired, status.resources, status.storage]).toEqual(['stopped', 'stopped', 'cleared'])
  expect([status.refreshVersion, status.programVersion, status.deployment]).toEqual([2, 1, null])
  await world.untilGone({ snapshots: 1 })
  await client.pipelines.delete(id)
  await world.untilGone({})
})

test('it starts, runs, pauses, goes on, stores and stops; what it stored stays until it is cleared', async () => {
  const id = await world.made()
  const { spec } = await client.pipelines.start(id)
  expect([spec.desired, spec.initial, spec.bootstrapPolicy, spec.desiredRuntime]).toEqual([
    ...['provisioned', 'running', 'await_approval', null],
  ])
  const running = await world.untilPhase(id, 'running')
  expect(running.spec.desiredRuntime).toBe('running')
  expect(running.status).toMatchObject({ resources: 'provisioned', storage: 'in_use', error: null })
  await client.pipelines.pause(id)
  await world.untilPhase(id, 'paused')
  await client.pipelines.resume(id)
  await world.untilPhase(id, 'running')
  const suspending = await client.pipelines.stop(id)
  expect([suspending.spec.desired, suspending.spec.desiredRuntime]).toEqual(['provisioned', 'suspended'])
  const stopped = await world.untilPhase(id, 'stopped')
  expect(stopped.spec).toMatchObject({ desired: 'stopped', desiredRuntime: null, initial: null })
  expect(stopped.status).toMatchObject({ storage: 'in_use', runtime: null, error: null, deployment: null })
  expect(await world.runtimes(id)).toEqual([...['initializing', 'running', 'paused', 'running', 'suspended']])
  const events = await world.events(id)
  expect(each(events.map(({ resourcesStatus }) => resourcesStatus))).toEqual([
    ...['stopped', 'provisioning', 'provisioned', 'stopping', 'stopped'],
  ])
  const [volume] = await world.volumes(id)
  await client.pipelines.start(id, { initial: 'paused' })
  await world.untilPhase(id, 'paused')
  expect((await world.volumes(id)).map(({ metadata }) => metadata.id)).toEqual([volume?.metadata.id])
  await client.pipelines.stop(id, { force: true })
  await world.untilPhase(id, 'stopped')
  const clearing = await client.pipelines.clear(id)
  expect(clearing.status.storage).toBe('clearing')
  await world.until(id, ({ status }) => status.storage === 'cleared')
  expect(await world.volumes(id)).toEqual([])
  await client.pipelines.delete(id)
  await world.untilGone({})
})

test('a standby takes over when it is activated, and never goes back', async () => {
  const id = await world.made({ runtime: { takesStandby: true } })
  await client.pipelines.start(id, { initial: 'standby' })
  await world.untilPhase(id, 'standby')
  expect(await refusalOf(client.pipelines.resume(id))).toBe('illegal_change')
  expect(await refusalOf(client.pipelines.stop(id))).toBe('unsuspendable')
  await client.pipelines.activate(id, { initial: 'paused' })
  await world.untilPhase(id, 'paused')
  expect(await refusalOf(client.pipelines.activate(id, { initial: 'running' }))).toBe('illegal_change')
  await client.pipelines.stop(id)
  await world.untilPhase(id, 'stopped')
  await world.gone(id)
})

test('a changed program waits for approval, and goes on as it was approved', async () => {
  const wish = (isApproved: boolean) =>
    JSON.stringify({ desired: 'running', bootstrap: 'await_approval', isApproved })
  const run = [
    `# simulated: on ${wish(false)} after 0 ${tell('awaiting_approval')}`,
    `# simulated: on ${wish(true)} after 0 ${tell('bootstrapping')}`,
    `# simulated: on ${wish(true)} after 0.1 ${tell('running')}`,
  ].join('\n')
  const id = await world.made({ run })
  await client.pipelines.start(id)
  await world.untilPhase(id, 'awaiting_approval')
  const { sentence, next } = await client.pipelines.why(id)
  expect([sentence, next]).toEqual([
    'its program says that it is awaiting approval, and is asked to be running',
    'it goes on once that is approved',
  ])
  await client.pipelines.approve(id)
  await world.untilPhase(id, 'running')
  expect(await refusalOf(client.pipelines.approve(id))).toBe('nothing_to_approve')
  expect(await world.runtimes(id)).toEqual([
    ...['initializing', 'awaiting_approval', 'bootstrapping', 'running'],
  ])
  await world.gone(id)
})

test('statuses that change at once are events of their own, in order, and a word that is none is felt by nobody else', async () => {
  const running = ['bootstrapping', 'replaying', 'flying', 'running', 'running', 'paused', 'running']
  const [odd, other] = await Promise.all([world.running({ run: simulatedRun({ running }) }), world.running()])
  await world.until(odd, ({ status }) => status.phase === 'running')
  expect(await world.untilRuntimes(odd, 7)).toEqual([
    ...['initializing', 'bootstrapping', 'replaying', 'unavailable', 'running', 'paused', 'running'],
  ])
  const [unavailable] = (await world.events(odd)).filter(
    ({ runtimeStatus }) => runtimeStatus === 'unavailable',
  )
  expect(unavailable?.runtimeDetails).toEqual({
    reason: 'its program told a status that is none: {"status":"flying","since":"x"}',
  })
  expect(await world.runtimes(other)).toEqual(['initializing', 'running'])
  expect((await world.get(odd)).status.error).toBeNull()
  await Promise.all([world.gone(odd), world.gone(other)])
})

test('a program that is changed while it is compiled is compiled as it is now, and the old one is gone', async () => {
  const id = await world.made({ build: 'sleep 30' })
  await world.untilProgram(id, 'building')
  const configuration = { run: simulatedRun(), build: 'sleep 0.1' }
  const changed = await client.pipelines.update(id, { spec: { program: { configuration } } })
  expect([changed.status.program, changed.status.programVersion]).toEqual(['pending', 2])
  await world.untilProgram(id, 'success')
  await world.untilGone({ snapshots: 1 })
  await client.pipelines.update(id, { spec: { program: { code: 'other' } } })
  await world.untilProgram(id, 'pending')
  await world.untilProgram(id, 'success')
  await world.untilGone({ snapshots: 1 })
  await world.gone(id)
})

test('what is not possible now is refused with a word of its own, and asking again changes nothing', async () => {
  const id = await world.running()
  const { pipelines } = client
  expect(await refusalOf(pipelines.clear(id))).toBe('clear_only_when_stopped')
  expect(await refusalOf(pipelines.delete(id))).toBe('delete_only_when_stopped')
  expect(await refusalOf(pipelines.compile(id))).toBe('edit_only_when_stopped')
  expect(await refusalOf(pipelines.update(id, { spec: { description: 'x' } }))).toBe('edit_only_when_stopped')
  expect(await refusalOf(pipelines.start(id, { initial: 'paused' }))).toBe('initial_immutable')
  expect(await refusalOf(pipelines.start(id, { bootstrapPolicy: 'allow' }))).toBe(
    'bootstrap_policy_immutable',
  )
  const { specVersion } = await pipelines.get(id)
  expect((await pipelines.start(id)).specVersion).toBe(specVersion)
  expect((await pipelines.resume(id)).specVersion).toBe(specVersion)
  await pipelines.stop(id, { force: true })
  await world.untilPhase(id, 'stopped')
  expect(await refusalOf(pipelines.pause(id))).toBe('not_provisioned')
  expect(await refusalOf(pipelines.delete(id))).toBe('delete_needs_cleared_storage')
  expect(await refusalOf(pipelines.update(id, { spec: { runtime: { workers: 2 } } }))).toBe(
    'edit_needs_cleared_storage',
  )
  await world.gone(id)
})

test('its machine is brought how it is to be run, also what was changed since the program was built', async () => {
  const id = await world.compiled({ runtime: { workers: 2 } })
  const settings = { workers: 3, settings: { rate: 0.5 } }
  await client.pipelines.update(id, { spec: { runtime: { storageMebibytes: 64, ...settings } } })
  await client.pipelines.start(id)
  await world.untilPhase(id, 'running')
  const machine = (await world.get(id)).status.deployment?.environmentId ?? ''
  const folder = join(agent.stateFolder, 'environments', machine)
  const brought = readdirSync(folder)
    .filter((name) => name.startsWith('input-'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
  const told = brought.filter((text) => text.startsWith('{'))
  expect(told.map((text) => JSON.parse(text) as unknown)).toEqual([expect.objectContaining(settings)])
  await world.gone(id)
})

test('its volume and what was compiled are nobody else’s to change', async () => {
  const id = await world.running()
  const [volume] = await world.volumes(id)
  await expect(client.volumes.delete(volume?.metadata.id ?? '', { force: true })).rejects.toThrow(
    /is kept by pipeline/,
  )
  await expect(client.volumes.detach(volume?.metadata.id ?? '')).rejects.toThrow(/is kept by pipeline/)
  const [snapshot] = await world.snapshots()
  await expect(client.snapshots.delete(snapshot?.metadata.id ?? '')).rejects.toThrow(/is used by/)
  await world.gone(id)
})
