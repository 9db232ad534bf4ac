import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { subjects } from '@hearth/contract'
import { environmentWorkKind } from '@hearth/control-plane'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { untilPool } from './following.ts'
import { type Installation, type Replica, startInstallation, startReplica } from './installation.ts'
import { type MarkerFile, markerLines, markersIn, readMarker } from './marker-handler.ts'
import { type MarkerKind, startMarkerKind } from './marker-kind.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** The installed control plane knows environments only, like the version before markers. */
let older: Installation
let markers: MarkerKind
let log: Log
const replicas: Replica[] = []
const agents: SyntheticAgent[] = []
const processes: ChildProcess[] = []

beforeEach(async () => {
  log = newLog()
  older = await startInstallation({ log: log.logger })
  markers = await startMarkerKind(older.database.url)
}, 60_000)
afterEach(async () => {
  for (const each of processes.splice(0)) each.kill('SIGKILL')
  for (const agent of agents.splice(0)) await agent[Symbol.asyncDispose]()
  for (const replica of replicas.splice(0)) await replica.stop()
  await markers?.[Symbol.asyncDispose]()
  await older?.[Symbol.asyncDispose]()
})

const markersFolder = () => join(older.folder, 'markers')
const patience = { timeout: 60_000, interval: 20 }

/** A replica of the version that knows markers. */
async function startNewer(): Promise<Replica> {
  const workKinds = [environmentWorkKind, markers.kind]
  const replica = await startReplica(older, { overrides: { workKinds }, log: log.logger })
  replicas.push(replica)
  return replica
}

async function startAgent(
  settings: Partial<Parameters<typeof startSyntheticAgent>[1]> = {},
): Promise<SyntheticAgent> {
  const timings = { synchronisation: 500, synchronisationSpread: 50, removalGrace: 300 }
  const agent = await startSyntheticAgent(older, { name: 'north', timings, log: log.logger, ...settings })
  agents.push(agent)
  await untilRegistered(agent.runner.metadata.id)
  return agent
}

/** Before that, no orders are published for the runner, and its rows of the outbox are dropped. */
async function untilRegistered(runnerId: string): Promise<void> {
  await expect
    .poll(async () => (await older.client.runners.get(runnerId)).status.phase, patience)
    .toBe('active')
}

/** An agent of the version that knows markers. */
const newerAgent = () => ({ otherWork: [markersIn({ folder: markersFolder(), lineMilliseconds: 1 })] })

async function fillPool(client: Replica['client'], min: number): Promise<string> {
  const declaration = { apiVersion: 'hearth/v1' as const, name: 'two-kinds', setup: ['make'] }
  const { warmPools } = await client.apply({ ...declaration, warmPools: [{ min }] })
  return warmPools[0]?.id ?? ''
}

test('an agent that is killed in the middle of work of two kinds continues both', async () => {
  const newer = await startNewer()
  const { runner, token } = await newer.client.runners.create({ name: 'killed', labels: {}, spec: {} })
  const runnerId = runner.metadata.id
  const start = () => spawnAgent({ url: newer.url, runnerId, token })
  const first = start()
  await untilRegistered(runnerId)
  const pool = await fillPool(newer.client, 3)
  const wanted = await Promise.all([1, 2, 3].map(() => markers.want(runnerId)))
  const isAmid = (file: MarkerFile | null) =>
    file !== null && file.lines.length > 0 && file.lines.length < markerLines
  await expect
    .poll(async () => {
      const files = await Promise.all(wanted.map((id) => readMarker(markersFolder(), id)))
      const environments = await newer.client.environments.listAll({ runnerId })
      const running = environments.filter(({ status }) =>
        status.steps.some(({ name, phase }) => name === 'project_setup' && phase === 'running'),
      )
      return files.some(isAmid) && running.length > 0
    }, patience)
    .toBe(true)
  first.kill('SIGKILL')
  await once(first, 'exit')
  const before = await newer.client.environments.listAll({ runnerId })
  const second = start()
  await untilPool(newer.client, pool, ({ status }) => status.ready === 3)
  for (const id of wanted) await expect.poll(() => markers.phaseOf(id), patience).toBe('present')
  second.kill('SIGTERM')
  await once(second, 'exit')
  const files = await Promise.all(wanted.map((id) => readMarker(markersFolder(), id)))
  // Each line is there once, and some marker was begun by one agent and finished by the other.
  expect(files.map((file) => file?.lines.length)).toEqual(wanted.map(() => markerLines))
  expect(files.some((file) => new Set(file?.lines).size === 2)).toBe(true)
  const after = await newer.client.environments.listAll({ runnerId })
  expect(after.map(({ metadata }) => metadata.id).sort()).toEqual(
    before.map(({ metadata }) => metadata.id).sort(),
  )
  // No step was started a second time.
  const startOf = (environments: typeof after, id: string) =>
    environments
      .find(({ metadata }) => metadata.id === id)
      ?.status.steps.filter(({ startedAt }) => startedAt !== null)
      .map(({ name, startedAt }) => [name, startedAt])
  for (const { metadata, status } of before) {
    const begun = status.steps
      .filter(({ startedAt }) => startedAt !== null)
      .map(({ name, startedAt }) => [name, startedAt])
    expect(startOf(after, metadata.id)).toEqual(expect.arrayContaining(begun))
  }
}, 180_000)

test('a newer control plane and an older agent: work of a kind that the agent does not know waits for a newer agent', async () => {
  const newer = await startNewer()
  const agent = await startAgent()
  const runnerId = agent.runner.metadata.id
  const id = await markers.want(runnerId)
  await expect
    .poll(() => log.has('work of the kind "marker" is not known to this version'), patience)
    .toBe(true)
  await expect.poll(() => log.has('the agent does not know this kind of work'), patience).toBe(true)
  const pool = await fillPool(newer.client, 2)
  await untilPool(newer.client, pool, ({ status }) => status.ready === 2)
  expect(await markers.phaseOf(id)).toBeNull()
  expect(await agent.stop()).toBe('stopped')
  await startAgent({ identityOf: agent, ...newerAgent() })
  await expect.poll(() => markers.phaseOf(id), patience).toBe('present')
}, 120_000)

test('an older control plane and a newer agent: each leaves unknown kinds alone, and nothing is lost', async () => {
  const newer = await startNewer()
  const agent = await startAgent(newerAgent())
  const runnerId = agent.runner.metadata.id
  // Both replicas process reports, as during a rolling upgrade.
  const wanted = await Promise.all(Array.from({ length: 20 }, () => markers.want(runnerId)))
  for (const id of wanted) await expect.poll(() => markers.phaseOf(id), patience).toBe('present')
  const { messagesSetAside } = older.controlPlane.services.metrics
  const setAside = async () =>
    (await messagesSetAside.get()).values.find(({ labels }) => labels.kind === 'report unknown')?.value ?? 0
  expect(await setAside()).toBeGreaterThan(0)
  await newer.stop()
  replicas.splice(0)

  const late = await markers.want(runnerId)
  await expect.poll(() => log.has('the control plane does not know this kind of work'), patience).toBe(true)
  const pool = await fillPool(older.client, 2)
  await untilPool(older.client, pool, ({ status }) => status.ready === 2)
  // Longer than the grace period of an unwanted thing.
  await untilAsked(runnerId, 4)
  expect(readdirSync(markersFolder()).sort()).toEqual([...wanted].sort())
  expect(await markers.waiting()).toBe(1)

  const again = await startNewer()
  await expect.poll(() => markers.phaseOf(late), patience).toBe('present')
  await untilPool(again.client, pool, ({ status }) => status.ready === 2)
  expect(readdirSync(markersFolder()).sort()).toEqual([...wanted, late].sort())
}, 180_000)

/** Resolves when the agent has synchronised this many times. */
async function untilAsked(runnerId: string, times: number): Promise<void> {
  const credentials = new TextEncoder().encode(older.nats.controlPlaneCredentials)
  const nats = await connect({ servers: older.nats.url, authenticator: credsAuthenticator(credentials) })
  let asked = 0
  for await (const _ of nats.subscribe(subjects.sync(runnerId))) {
    asked += 1
    if (asked === times) break
  }
  await nats.close()
}

interface Log {
  logger: pino.Logger
  has(text: string): boolean
}

function newLog(): Log {
  const lines: string[] = []
  const logger = pino(
    { level: 'info', serializers: { error: pino.stdSerializers.err } },
    { write: (line: string) => void lines.push(line) },
  )
  return { logger, has: (text) => lines.some((line) => line.replaceAll('\\"', '"').includes(text)) }
}

/** The agent's program as a separate process. */
function spawnAgent({
  url,
  runnerId,
  token,
}: {
  url: string
  runnerId: string
  token: string
}): ChildProcess {
  const stateFolder = join(older.folder, 'killed')
  mkdirSync(stateFolder, { recursive: true })
  writeFileSync(join(stateFolder, 'runner.json'), JSON.stringify({ url, runnerId, token }), { mode: 0o600 })
  const program = join(import.meta.dirname, 'marker-agent.ts')
  const spawned = spawn(process.execPath, ['--import', 'tsx', program], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HEARTH_AGENT_STATE: stateFolder,
      HEARTH_AGENT_HOST: 'synthetic',
      HEARTH_SYNTHETIC_CREATE_MILLISECONDS: '1',
      HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '5',
      HEARTH_SYNTHETIC_STEP_MILLISECONDS: '1500',
      HEARTH_LOG_LEVEL: 'fatal',
      MARKER_FOLDER: markersFolder(),
      MARKER_LINE_MILLISECONDS: '400',
    },
  })
  processes.push(spawned)
  return spawned
}
