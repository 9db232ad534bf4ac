import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Environment, type Snapshot, type SnapshotPhase, snapshotSchema } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
let environment: Environment
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, pausedMachines: 100, progressReport: 0 },
    environment: { HEARTH_SYNTHETIC_FREEZE_MILLISECONDS: '300' },
  })
  environment = await makeEnvironment()
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const snapshots = () => installation.client.resources('Snapshot')
const layersOnHost = () => readdirSync(join(agent.stateFolder, 'layers')).filter((name) => name.length === 36)

async function makeEnvironment(): Promise<Environment> {
  const { client } = installation
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'shop', setup: ['make'] })
  const { metadata } = await client.environmentClasses.get('small')
  const made = await client.environments.create({ spec: { projectId, environmentClassId: metadata.id } })
  return untilEnvironment(client, made.metadata.id, ({ status }) => status.phase === 'running')
}

async function create(memory: boolean, of = environment.metadata.id): Promise<Snapshot> {
  const { url, token } = installation
  const response = await fetch(`${url}/v1/snapshots`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ spec: { environment: of, memory } }),
  })
  expect(response.status).toBe(of === environment.metadata.id ? 201 : 404)
  return response.ok ? snapshotSchema.parse(await response.json()) : Promise.reject(new Error('not found'))
}

async function until(id: string, phase: SnapshotPhase): Promise<Snapshot> {
  await expect
    .poll(async () => (await snapshots().get(id)).status.phase, { timeout: 30_000, interval: 50 })
    .toBe(phase)
  return snapshots().get(id)
}

test('a snapshot of a running machine, with its memory, is made on its host and says what it has', async () => {
  const made = await create(true)
  expect(made.status.phase).toBe('pending')
  const ready = await until(made.metadata.id, 'ready')
  expect(ready.status).toMatchObject({
    memory: { kept: true, reason: null },
    holders: [{ runner: 'rack-1', phase: 'present' }],
    failure: null,
  })
  expect(ready.status.bytes?.memory).toBeGreaterThan(0)
  expect(ready.status.heldSteps).toEqual(expect.arrayContaining(['project_setup']))
  expect(layersOnHost()).toContain(made.metadata.id)
  const why = await snapshots().why(made.metadata.id)
  expect(JSON.stringify(why)).toContain('ready')
})

test('a second snapshot stands on the first, and each goes when nothing stands on it', async () => {
  const first = await until((await create(false)).metadata.id, 'ready')
  const second = await until((await create(false)).metadata.id, 'ready')
  expect(second.status.parentId).toBe(first.metadata.id)
  await expect(snapshots().delete(first.metadata.id)).rejects.toMatchObject({ code: 'conflict' })
  await snapshots().delete(second.metadata.id)
  await snapshots().delete(first.metadata.id, { force: true })
  // The machine itself still stands on both.
  await expect
    .poll(async () => (await snapshots().get(second.metadata.id)).status.holders, { timeout: 30_000 })
    .toMatchObject([{ phase: 'deleting', keptBy: [environment.metadata.id] }])
  await installation.client.environments.delete(environment.metadata.id)
  for (const { metadata } of [first, second]) await until(metadata.id, 'deleted')
  environment = await makeEnvironment()
})

test('an agent that is stopped while it freezes finishes after its start', async () => {
  const made = await create(true)
  await until(made.metadata.id, 'creating')
  await agent.stop()
  agent = await startSyntheticAgent(installation, { name: 'rack-1', identityOf: agent })
  const ready = await until(made.metadata.id, 'ready')
  expect(ready.status.holders).toMatchObject([{ phase: 'present' }])
})

test('a snapshot of nothing and of another’s is not there, and an unknown one neither', async () => {
  await expect(create(false, 'no-such-environment')).rejects.toThrow('not found')
  await expect(snapshots().get('no-such-snapshot')).rejects.toMatchObject({ code: 'not_found' })
})
