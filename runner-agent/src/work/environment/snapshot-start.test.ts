import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EnvironmentOrder, EnvironmentReport, MachineSource } from '@hearth/contract'
import { generateSealingKeyPair, newId, systemClock } from '@hearth/foundation'
import { eventually, sampleOrder, samplePlan } from '@hearth/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ExclusionScope } from '../../host/exclusion-scope.ts'
import { MachineStore } from '../../host/synthetic/machine-store.ts'
import type { SyntheticSettings } from '../../host/synthetic/settings.ts'
import { SyntheticGuest } from '../../host/synthetic/synthetic-guest.ts'
import { SyntheticHost } from '../../host/synthetic/synthetic-host.ts'
import { environmentInbox } from './inbox.fixture.ts'
import { environmentRecordSchema, reopened } from './record.ts'

const runnerId = newId()
const sealing = generateSealingKeyPair()
const authority = { epoch: 1, generation: 9, assertHeld: async () => undefined }
const plan = samplePlan({
  repositories: [{ url: 'https://example.org/shop.git', name: 'shop', branch: null, setup: [] }],
  variables: { GREETING: 'hello' },
  projectSetup: [{ name: 'install', command: 'true' }],
})

let folder: string
let agent: ReturnType<typeof agentOf>
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-snapshot-start-'))
  agent = agentOf()
})
afterEach(async () => {
  await agent.stop()
  await rm(folder, { recursive: true, force: true })
})

function agentOf(failures: SyntheticSettings['failures'] = {}, repositories: string | null = null) {
  const reports: EnvironmentReport[] = []
  const stopping = new AbortController()
  const settings = {
    ...{ createMilliseconds: 0, bootMilliseconds: 0, stepMilliseconds: 0 },
    ...{
      freezeMilliseconds: 0,
      resumeMilliseconds: 0,
      readMilliseconds: 0,
      repositories,
      failures,
      runsCommands: false,
    },
  }
  const world = { settings, clock: systemClock, random: Math.random }
  const machinesFolder = join(folder, 'environments')
  const host = new SyntheticHost({
    ...world,
    machinesFolder,
    layersFolder: join(folder, 'layers'),
    volumesFolder: join(folder, 'volumes'),
    exclusion: new ExclusionScope(join(folder, 'locks'), folder),
    diskReserveBytes: 0,
    owner: runnerId,
    capacity: { virtualCpus: 8, memoryMebibytes: 8_192, diskGibibytes: 100 },
    images: [plan.image],
  })
  const store = new MachineStore(machinesFolder, runnerId)
  const { inbox } = environmentInbox({
    host,
    openGuest: (machine) => new SyntheticGuest(machine, store, world),
    runnerId,
    epoch: 1,
    sealingKey: sealing.privateKey,
    unkeptFailureMilliseconds: 100,
    stopping: stopping.signal,
    closing: stopping.signal,
    onReport: (report) => void reports.push(report),
    onLog: () => undefined,
  })
  return {
    host,
    store,
    reports,
    settings,
    put: (order: EnvironmentOrder) => inbox.put(order),
    /** Resolves with the last report once it says this of the order. */
    async until(order: EnvironmentOrder, phase: EnvironmentReport['phase']): Promise<EnvironmentReport> {
      const last = () => reports.findLast(({ id }) => id === order.id)
      const isThere = () => last()?.phase === phase && last()?.generation === order.generation
      await eventually(async () => isThere(), { timeoutMilliseconds: 20_000 })
      return last() as EnvironmentReport
    },
    async stop() {
      stopping.abort()
      await inbox.settle()
    },
  }
}

const orderOf = (change: Partial<EnvironmentOrder> = {}) =>
  sampleOrder({ id: newId(), runnerId, plan, sealedSecrets: null, ...change })
const held = ['init_repo.shop', 'project_setup']
const sourceOf = (snapshotId: string, change: Partial<MachineSource> = {}): MachineSource => ({
  ...{ snapshotId, memory: true, incarnation: 1, heldSteps: held, onlyFromSnapshot: false },
  ...change,
})
const phases = ({ steps }: EnvironmentReport) =>
  Object.fromEntries(steps.map(({ name, phase }) => [name, phase]))
const forked = {
  create_vm: 'succeeded',
  own_identity: 'succeeded',
  ensure_server: 'succeeded',
  set_env_vars: 'succeeded',
  clone_repo: 'succeeded',
  init_repo: 'held',
  project_setup: 'held',
  repo_setup: 'skipped',
  warm_pool_setup: 'skipped',
}

async function run(order: EnvironmentOrder): Promise<EnvironmentReport> {
  agent.put(order)
  return agent.until(order, 'running')
}

/** A running machine, frozen with its memory; its order has a generation that no fork's has. */
async function frozen(memory = true): Promise<{ origin: EnvironmentOrder; layerId: string }> {
  const origin = orderOf({ generation: 5 })
  await run(origin)
  await agent.store.writeText(origin.id, 'guest-home-work', 'of the origin')
  const layerId = newId()
  await agent.host.layers.freeze({ layerId, environmentId: origin.id, memory }, authority)
  return { origin, layerId }
}

test('a machine goes on from the memory of a snapshot as itself, with the files and the held steps', async () => {
  const { origin, layerId } = await frozen()
  const fork = orderOf({ source: sourceOf(layerId) })
  const report = await run(fork)
  expect(report.startedFrom).toEqual({ from: 'memory', snapshotId: layerId, incarnation: 1, reason: null })
  expect(phases(report)).toEqual(forked)
  expect(report.steps[1]?.durationMilliseconds).toBeGreaterThanOrEqual(0)
  expect(report.identity?.machineId).toBe(fork.id.replaceAll('-', ''))
  expect(await agent.store.readText(fork.id, 'guest-home-work')).toBe('of the origin')
  // A step of the origin with the same name and generation is not the fork's.
  expect(await agent.store.readText(fork.id, 'step-project_setup-5.json')).toBeNull()
  expect(await agent.store.readText(origin.id, 'step-project_setup-5.json')).not.toBeNull()
})

test('memory that does not fit is left, and memory that is not there is not asked for: it boots from the disk', async () => {
  const { layerId } = await frozen()
  const larger = orderOf({ source: sourceOf(layerId), plan: { ...plan, memoryMebibytes: 4_096 } })
  const misfit = await run(larger)
  expect(misfit.startedFrom).toMatchObject({
    from: 'disk',
    reason: expect.stringContaining('MiB; this one has'),
  })
  expect(phases(misfit)).toEqual(forked)
  const { layerId: disk } = await frozen(false)
  const none = await run(orderOf({ source: sourceOf(disk) }))
  expect(none.startedFrom).toMatchObject({ from: 'disk', reason: expect.stringContaining('no memory') })
})

test('a guest whose loading was cut is started from the memory anew, although it is said to run', async () => {
  const { layerId } = await frozen()
  const fork = orderOf({ source: sourceOf(layerId) })
  await run(fork)
  await agent.stop()
  const text = (await agent.store.readText(fork.id, 'record.json')) ?? ''
  const record = environmentRecordSchema.parse(JSON.parse(text))
  const steps = reopened(record.steps, 'own_identity')
  const cut = { ...record, steps, power: 'stopped', memoryStart: 'begun', identity: null }
  await agent.store.writeText(fork.id, 'record.json', JSON.stringify(cut))
  const before = (await agent.store.read(fork.id))?.answersAt
  agent = agentOf()
  const { machines } = agent.host
  const look = machines.look.bind(machines)
  const isAsLeft = async () => (await agent.store.read(fork.id))?.answersAt === before
  machines.look = async (id) => {
    const fault = id === fork.id && (await isAsLeft()) ? 'its start from memory was cut short' : null
    return { ...(await look(id)), fault }
  }
  const report = await run(fork)
  expect(await isAsLeft()).toBe(false)
  expect(report.startedFrom).toMatchObject({ from: 'memory' })
})

test('a resumed guest that does not take its identity boots from the disk, and says why', async () => {
  const { layerId } = await frozen()
  agent.settings.failures = { own_identity: 1 }
  const fork = orderOf({ source: sourceOf(layerId) })
  agent.put(fork)
  const failing = await agent.until(fork, 'failed')
  // The gate is not passed after the boot either.
  expect(failing.failure).toMatchObject({ code: 'identity_mismatch', step: 'own_identity' })
  expect(failing.startedFrom).toMatchObject({
    from: 'disk',
    reason: expect.stringContaining('does not take'),
  })
  agent.settings.failures = {}
  const again = await run({ ...fork, generation: 2 })
  expect(again.startedFrom).toMatchObject({ from: 'memory' })
})

test('a snapshot that is gone or damaged leaves the image, with every step; not where it would lose the user’s work', async () => {
  const { layerId } = await frozen()
  await appendFile(join(folder, 'layers', layerId, 'disk'), 'changed')
  for (const snapshotId of [layerId, newId()]) {
    const report = await run(orderOf({ source: sourceOf(snapshotId) }))
    expect(report.startedFrom).toMatchObject({
      from: 'image',
      snapshotId,
      reason: expect.stringContaining(snapshotId),
    })
    expect(phases(report)).not.toHaveProperty('own_identity')
    expect(phases(report)).toMatchObject({ project_setup: 'succeeded' })
    const only = orderOf({ source: sourceOf(snapshotId, { onlyFromSnapshot: true }) })
    agent.put(only)
    expect((await agent.until(only, 'failed')).failure).toMatchObject({
      code: 'layer_damaged',
      step: 'create_vm',
    })
  }
})

test('a snapshot that does not fit leaves the image; what the host refuses for another reason fails', async () => {
  const { layerId } = await frozen()
  const smaller = await run(orderOf({ source: sourceOf(layerId), plan: { ...plan, diskGibibytes: 1 } }))
  expect(smaller.startedFrom).toMatchObject({ from: 'image', reason: expect.stringContaining('GiB, the') })
  agent.settings.failures = { create_vm: 1 }
  const refused = orderOf({ source: sourceOf(layerId) })
  agent.put(refused)
  const { failure, startedFrom } = await agent.until(refused, 'failed')
  expect(failure).toMatchObject({ code: 'host_refused', step: 'create_vm' })
  expect(startedFrom?.from).not.toBe('image')
})

test('a machine is put back to its checkpoint once for each order, and keeps its identity', async () => {
  const { origin, layerId } = await frozen()
  const before = await agent.host.machines.look(origin.id)
  await agent.store.writeText(origin.id, 'guest-home-work', 'spoilt')
  const source = sourceOf(layerId, { onlyFromSnapshot: true })
  const restore = { ...origin, generation: 6, source }
  const report = await run(restore)
  expect(await agent.store.readText(origin.id, 'guest-home-work')).toBe('of the origin')
  expect(report.startedFrom).toMatchObject({ from: 'memory', snapshotId: layerId })
  expect(phases(report)).toMatchObject({ own_identity: 'succeeded', project_setup: 'succeeded' })
  expect(report.address).toEqual(before.address)
  expect(agent.reports.slice(-4).map(({ phase }) => phase)).toContain('starting')
  await agent.store.writeText(origin.id, 'guest-home-work', 'newer')
  await run({ ...restore, generation: 7 })
  expect(await agent.store.readText(origin.id, 'guest-home-work')).toBe('newer')
  await run({ ...restore, generation: 8, source: { ...source, incarnation: 2, memory: false } })
  expect(await agent.store.readText(origin.id, 'guest-home-work')).toBe('of the origin')
})

test('a machine that cannot be put back fails and is left as it is', async () => {
  const { origin } = await frozen()
  const missing = { ...origin, generation: 6, source: sourceOf(newId(), { onlyFromSnapshot: true }) }
  agent.put(missing)
  expect((await agent.until(missing, 'failed')).failure).toMatchObject({ code: 'layer_damaged' })
  expect((await agent.host.machines.look(origin.id)).power).toBe('running')
  expect(await agent.store.readText(origin.id, 'guest-home-work')).toBe('of the origin')
})

test('a repository that was brought up to date says anew what it declares, and a fault in that fails the machine', async () => {
  const { layerId } = await frozen()
  await agent.stop()
  const repositories = join(folder, 'repositories')
  await mkdir(join(repositories, 'shop'), { recursive: true })
  const write = (text: string) =>
    writeFile(join(repositories, 'shop', 'hearth.yaml'), `apiVersion: hearth/v1\n${text}`)
  agent = agentOf({}, repositories)
  await write('services: {web: {command: serve}}\n')
  const report = await run(orderOf({ source: sourceOf(layerId) }))
  expect(phases(report)).toEqual(forked)
  expect(report.declared).toMatchObject({ shop: { tasks: {}, services: { web: { command: 'serve' } } } })
  await write('services: {web: {command: ""}}\n')
  const bad = orderOf({ source: sourceOf(layerId) })
  agent.put(bad)
  const failed = await agent.until(bad, 'failed')
  expect(failed.failure).toMatchObject({
    code: 'command_failed',
    step: 'init_repo',
    message:
      'hearth.yaml of repository shop does not fit: line 2, column 18: services.web.command: a command',
  })
  expect(phases(failed)).toMatchObject({
    clone_repo: 'succeeded',
    init_repo: 'failed',
    project_setup: 'held',
  })
  // Of a snapshot that a person chose the clone is held, and with it what its file said.
  const kept = await run(orderOf({ source: sourceOf(layerId, { heldSteps: ['clone_repo.shop', ...held] }) }))
  expect(kept.declared).toEqual({})
})
