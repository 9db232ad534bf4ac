import { connect } from 'node:tls'
import { type Environment, type Snapshot, type SnapshotHolder, snapshotSchema } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { layersOf } from './prebuild-installation.ts'

let installation: Installation
let sql: pg.Client
let north: AgentProcess
let south: AgentProcess
let west: AgentProcess
let projectId: string
let origin: Environment
let northPort: number

/** Long enough to do something while a copy goes on. */
const slowly = { HEARTH_SYNTHETIC_READ_MILLISECONDS: '2000' }
const oneMachine = { HEARTH_CAPACITY_MEMORY_MEBIBYTES: '3000' }

beforeAll(async () => {
  installation = await startInstallation()
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  northPort = await freePort()
  north = await startAgent('north', { ...slowly, ...oneMachine }, northPort)
  const { client } = installation
  projectId = (await client.apply({ apiVersion: 'hearth/v1', name: 'shop', setup: ['make'] })).projectId
  origin = await run(await make({}))
  south = await startAgent('south', {})
}, 120_000)
afterAll(async () => {
  for (const agent of [north, south, west]) await agent?.[Symbol.asyncDispose]()
  await sql?.end()
  await installation?.[Symbol.asyncDispose]()
})

async function startAgent(name: string, settings: Record<string, string>, port?: number) {
  const address = `127.0.0.1:${port ?? (await freePort())}`
  return startAgentProcess(installation, name, { HEARTH_LAYERS_ADDRESS: address, ...settings })
}

async function make(spec: object): Promise<string> {
  const { client } = installation
  const { metadata } = await client.environmentClasses.get('small')
  const body = { spec: { projectId, environmentClassId: metadata.id, ...spec } }
  return (await client.environments.create(body)).metadata.id
}
const run = (id: string) =>
  untilEnvironment(installation.client, id, ({ status }) => {
    if (status.phase === 'failed') throw new Error(JSON.stringify(status.failure))
    return status.phase === 'running'
  })

async function post(path: string, body: object) {
  const { url, token } = installation
  const response = await fetch(`${url}/v1/snapshots${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text() }
}
const snapshots = () => installation.client.resources('Snapshot')

async function freeze(memory = false): Promise<Snapshot> {
  const { status, text } = await post('', { spec: { environment: origin.metadata.id, memory } })
  expect([status, text]).toEqual([201, expect.any(String)])
  const { metadata } = snapshotSchema.parse(JSON.parse(text))
  return untilSnapshot(metadata.id, (snapshot) => snapshot.status.phase === 'ready')
}
const untilSnapshot = (id: string, wanted: (snapshot: Snapshot) => boolean) =>
  until(installation.client, `snapshot ${id}`, () => snapshots().get(id) as Promise<Snapshot>, wanted)
const holderOf = ({ status }: Snapshot, { runnerId }: AgentProcess) =>
  status.holders.find((holder) => holder.runnerId === runnerId)
const untilHolder = async (id: string, agent: AgentProcess, phase: SnapshotHolder['phase']) =>
  holderOf(await untilSnapshot(id, (snapshot) => holderOf(snapshot, agent)?.phase === phase), agent)

async function copy(id: string, runner: string): Promise<void> {
  expect(await post(`/${id}/copies`, { runner })).toMatchObject({ status: 202 })
}
const wake = (kind: string, id: string) =>
  sql.query(`SELECT graphile_worker.add_job('reconcile', $1)`, [{ kind, id }])

/** As when nothing was heard of it for its whole lease. */
async function silence({ runnerId }: AgentProcess): Promise<void> {
  await sql.query(`UPDATE runners SET last_seen_at = now() - interval '1 hour' WHERE id = $1`, [runnerId])
  await wake('runner', runnerId)
}

test('a machine whose snapshot is on a full host waits for a copy, and starts from its disk elsewhere', async () => {
  const snapshot = await freeze(true)
  const { id, name } = snapshot.metadata
  const environmentId = await make({ source: { snapshotId: id, memory: true } })
  const waiting = await untilEnvironment(
    installation.client,
    environmentId,
    ({ status }) => status.placement?.includes(`snapshot ${name} is being copied to south`) === true,
  )
  expect(waiting.status).toMatchObject({ phase: 'pending', deadline: expect.any(String) })
  expect((await installation.client.environments.why(environmentId)).sentence).toContain(
    'is being copied to south',
  )
  const environment = await run(environmentId)
  expect(environment.status).toMatchObject({
    runnerId: south.runnerId,
    startedFrom: {
      from: 'disk',
      snapshotId: id,
      reason: expect.stringContaining('memory is used only on the runner where it was frozen'),
    },
  })
  const held = await snapshots().get(id)
  expect(held.status).toMatchObject({ memory: { kept: true }, phase: 'ready' })
  expect(holderOf(held as Snapshot, south)).toMatchObject({
    phase: 'present',
    copiedFrom: 'north',
    failure: null,
  })
  expect(layersOf(south)).toContain(id)
  await installation.client.environments.delete(environmentId)
}, 60_000)

test('what a snapshot stands on is copied first, and an order that is repeated changes nothing', async () => {
  const [lower, upper] = [await freeze(), await freeze()]
  expect(upper.status.parentId).toBe(lower.metadata.id)
  await copy(upper.metadata.id, 'south')
  await untilHolder(upper.metadata.id, south, 'present')
  expect(holderOf((await snapshots().get(lower.metadata.id)) as Snapshot, south)?.phase).toBe('present')
  await copy(upper.metadata.id, 'south')
  expect(holderOf((await snapshots().get(upper.metadata.id)) as Snapshot, south)?.phase).toBe('present')
  expect(await post(`/${upper.metadata.id}/copies`, { runner: 'nobody' })).toMatchObject({ status: 404 })
  west = await startAgent('west', {})
}, 60_000)

test('a snapshot whose parent is being deleted is copied: its runner, killed meanwhile, makes it stand alone first', async () => {
  const [lower, upper] = [(await freeze()).metadata, (await freeze()).metadata]
  await snapshots().delete(lower.id, { force: true })
  await untilSnapshot(
    lower.id,
    ({ status }) => (holderOf({ status } as Snapshot, north)?.keptBy.length ?? 0) > 0,
  )
  north.freeze()
  await copy(upper.id, 'south')
  expect(await untilHolder(upper.id, south, 'pending')).toMatchObject({ copiedFrom: 'north' })
  expect(JSON.stringify((await snapshots().why(upper.id)).evidence)).toContain('waits to copy it from north')
  await north.kill()
  await north.start()
  expect(await untilHolder(upper.id, south, 'present')).toMatchObject({ copiedFrom: 'north', failure: null })
  expect((await snapshots().get(upper.id)).status.parentId).toBeNull()
  // Nothing stands on it any more.
  await untilSnapshot(lower.id, ({ status }) => status.phase === 'deleted')
  expect(layersOf(south)).not.toContain(lower.id)
}, 150_000)

test('a reader that is killed amid a copy finishes it after its start', async () => {
  const { metadata } = await freeze()
  await copy(metadata.id, 'south')
  await untilHolder(metadata.id, south, 'copying')
  await south.kill()
  await south.start()
  expect(await untilHolder(metadata.id, south, 'present')).toMatchObject({ failure: null })
}, 150_000)

/** It is killed amid the copy, however slow this machine is. */
async function killNorthAmid(id: string): Promise<void> {
  north.freeze()
  await copy(id, 'west')
  await untilHolder(id, west, 'copying')
  await north.kill()
  await silence(north)
}

test('a copy from a runner that is killed is made from another that has it', async () => {
  const lower = (await freeze()).metadata
  await copy(lower.id, 'west')
  await untilHolder(lower.id, west, 'present')
  const { metadata } = await freeze()
  await copy(metadata.id, 'south')
  await untilHolder(metadata.id, south, 'present')
  await killNorthAmid(metadata.id)
  expect(await untilHolder(metadata.id, west, 'present')).toMatchObject({ copiedFrom: 'south' })
  await north.start()
}, 240_000)

test('a copy from a runner that is killed, and alone has it, is given up until it is asked for again', async () => {
  const alone = (await freeze()).metadata
  await killNorthAmid(alone.id)
  expect(await untilHolder(alone.id, west, 'failed')).toMatchObject({ failure: { code: 'runner_lost' } })
  const why = await snapshots().why(alone.id)
  expect(JSON.stringify(why.evidence)).toContain('north went silent while it was copied from there')
  await expect.poll(() => layersOf(west), { timeout: 30_000 }).not.toContain(alone.id)
  await north.start()
  await copy(alone.id, 'west')
  await untilHolder(alone.id, west, 'present')
}, 240_000)

test('a wrong key is refused, and a grant that ends ends its copy, which leaves nothing', async () => {
  const { metadata } = await freeze()
  await copy(metadata.id, 'west')
  await untilHolder(metadata.id, west, 'copying')
  const { rows } = await sql.query<{ grant: string }>(
    `SELECT source->>'grantId' AS grant FROM snapshot_holders WHERE snapshot_id = $1 AND runner_id = $2`,
    [metadata.id, west.runnerId],
  )
  const guess = { psk: Buffer.alloc(32, 7), identity: rows[0]?.grant ?? '' }
  await expect(
    new Promise((resolve, reject) => {
      const socket = connect({
        ...{ host: '127.0.0.1', port: northPort, ciphers: 'ECDHE-PSK-CHACHA20-POLY1305' },
        ...{ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', pskCallback: () => guess },
        checkServerIdentity: () => undefined,
      })
      socket.once('secureConnect', () => resolve(socket.destroy()))
      socket.once('error', reject)
    }),
  ).rejects.toThrow()
  await sql.query(
    `UPDATE snapshot_holders SET source = source || '{"endsAt":"2026-01-01T00:00:00.000Z"}'
     WHERE snapshot_id = $1 AND runner_id = $2`,
    [metadata.id, west.runnerId],
  )
  await wake('snapshot', metadata.id)
  expect(await untilHolder(metadata.id, west, 'failed')).toMatchObject({
    failure: { code: 'deadline_passed', message: expect.stringContaining('north sent nothing of it') },
  })
  await expect.poll(() => layersOf(west), { timeout: 30_000 }).not.toContain(metadata.id)
}, 60_000)

test('when all is deleted nothing is left on any host', async () => {
  const { client } = installation
  await client.environments.delete(origin.metadata.id)
  for (const { metadata } of (await snapshots().listAll({})).reverse())
    await snapshots().delete(metadata.id, { force: true })
  for (const agent of [north, south, west])
    await expect.poll(() => layersOf(agent), { timeout: 60_000 }).toEqual([])
  await expect.poll(() => snapshots().listAll({}), { timeout: 30_000 }).toEqual([])
}, 120_000)
