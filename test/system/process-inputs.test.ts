import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Artifact, Task } from '@hearth/contract'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
let sql: pg.Client
let machine: string

const startAgent = (identityOf?: SyntheticAgent) =>
  startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
    ...(identityOf === undefined ? {} : { identityOf }),
  })

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startAgent()
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  const { client } = installation
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'shop' })
  const { metadata } = await client.environments.create({
    name: 'shop-1',
    spec: { projectId, environmentClassId: (await client.environmentClasses.get('small')).metadata.id },
  })
  machine = metadata.id
  await untilEnvironment(client, machine, ({ status }) => status.phase === 'running')
}, 60_000)
afterAll(async () => {
  await sql.end()
  await agent[Symbol.asyncDispose]()
  await installation[Symbol.asyncDispose]()
})

async function upload(bytes: number): Promise<{ artifact: Artifact; zip: Buffer }> {
  const packed = new ZipFile()
  packed.addBuffer(Buffer.from('processes.web = { command = "node server.js" }'), 'bentocloud.toml')
  packed.addBuffer(randomBytes(bytes), 'data.bin', { compress: false })
  packed.end()
  const zip = await buffer(packed.outputStream)
  const response = await fetch(`${installation.url}/v1/artifacts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/zip' },
    body: new Uint8Array(zip),
  })
  return { artifact: (await response.json()) as Artifact, zip }
}

/** A task that has ended, and needs the artifact from its next run on, as another kind would make it. */
async function taskWith(artifact: Pick<Artifact, 'id' | 'digest' | 'bytes'>, path: string): Promise<string> {
  const { client } = installation
  const { metadata } = await client.tasks.create({ spec: { environment: machine, command: 'echo done' } })
  await untilTask(metadata.id, ({ status }) => status.phase === 'succeeded')
  const inputs = [
    { artifactId: artifact.id, digest: artifact.digest, bytes: artifact.bytes, path, user: 'root' },
  ]
  await sql.query(
    `UPDATE processes SET spec = spec || $2::jsonb, spec_version = spec_version + 1 WHERE id = $1`,
    [metadata.id, JSON.stringify({ inputs })],
  )
  return metadata.id
}
const untilTask = (id: string, wanted: (task: Task) => boolean) =>
  until(installation.client, 'the task', () => installation.client.tasks.get(id), wanted)
const run = async (id: string, runs: number) => {
  await installation.client.tasks.start(id)
  return untilTask(
    id,
    ({ status }) =>
      ['succeeded', 'failed'].includes(status.phase) && (status.runs >= runs || status.failure !== null),
  )
}

/** How often bytes were asked for. */
async function fetches(): Promise<number> {
  const metrics = await (await fetch(`${installation.url}/metrics`)).text()
  const counts = metrics.matchAll(
    /^hearth_http_request_duration_seconds_count\{[^}]*route="\/v1\/artifacts\/:id\/bytes"[^}]*\} (\d+)$/gm,
  )
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

const machineFolder = () => join(agent.stateFolder, 'environments', machine)
const broughtTo = (path: string) =>
  readFileSync(join(machineFolder(), `input-${createHash('sha256').update(path).digest('hex')}`))

test('what a process needs is in its guest before it runs; what is there is not brought again, nor by the next agent', async () => {
  const { artifact, zip } = await upload(6_000_000)
  const id = await taskWith(artifact, '/var/lib/app/release.zip')
  const ran = await run(id, 2)
  expect(ran.status).toMatchObject({ phase: 'succeeded', run: { number: 2, exitCode: 0 } })
  expect(JSON.stringify(ran)).not.toContain(artifact.digest)
  expect(broughtTo('/var/lib/app/release.zip').equals(zip)).toBe(true)
  const before = await fetches()
  expect(before).toBeGreaterThan(0)
  expect((await run(id, 3)).status.phase).toBe('succeeded')
  expect(await fetches()).toBe(before)
  await agent.stop()
  agent = await startAgent(agent)
  expect((await run(id, 4)).status.phase).toBe('succeeded')
  expect(await fetches()).toBe(before)
  expect(readdirSync(machineFolder()).filter((name) => name.endsWith('.part'))).toEqual([])
}, 60_000)

test('only a runner that was ordered a process with an artifact gets its bytes, from any byte on', async () => {
  const { artifact, zip } = await upload(10)
  const { token } = JSON.parse(readFileSync(join(agent.stateFolder, 'runner.json'), 'utf8')) as {
    token: string
  }
  const ask = (secret: string, range?: string) =>
    fetch(`${installation.url}/v1/artifacts/${artifact.id}/bytes`, {
      headers: { authorization: `Bearer ${secret}`, ...(range === undefined ? {} : { range }) },
    })
  expect((await ask(token)).status).toBe(404)
  expect((await ask(installation.token)).status).toBe(403)
  const id = await taskWith(artifact, '/var/lib/app/small.zip')
  await run(id, 2)
  const { rows } = await sql.query<{ runner_id: string }>('SELECT runner_id FROM processes WHERE id = $1', [
    id,
  ])
  expect(rows[0]?.runner_id).toBe(agent.runner.metadata.id)
  const whole = await ask(token)
  expect([whole.status, Buffer.from(await whole.arrayBuffer()).equals(zip)]).toEqual([200, true])
  const rest = await ask(token, 'bytes=100-')
  expect([rest.status, rest.headers.get('content-range')]).toEqual([
    206,
    `bytes 100-${zip.length - 1}/${zip.length}`,
  ])
  expect(Buffer.from(await rest.arrayBuffer()).equals(zip.subarray(100))).toBe(true)
  for (const range of [`bytes=${zip.length}-`, 'bytes=-5', 'lines=1-'])
    expect((await ask(token, range)).status).toBe(400)
  const other = await installation.client.runners.create({ name: 'other', labels: {}, spec: {} })
  expect((await ask(other.token)).status).toBe(404)
}, 60_000)

test('what cannot be brought fails the process with its cause, and it does not run', async () => {
  const { artifact } = await upload(20)
  const gone = await taskWith(
    { ...artifact, id: '01a1fa4e-603f-7430-bf4f-d3db55a95706' },
    '/var/lib/app/gone.zip',
  )
  const failed = await run(gone, 2)
  expect(failed.status).toMatchObject({ phase: 'failed', runs: 1, failure: { code: 'host_refused' } })
  expect(failed.status.failure?.message).toMatch(/^the control plane refuses an input: 404 /)
  const changed = await taskWith({ ...artifact, digest: 'a'.repeat(64) }, '/var/lib/app/changed.zip')
  const refused = await run(changed, 2)
  expect(refused.status).toMatchObject({ phase: 'failed', runs: 1, failure: { code: 'command_failed' } })
  expect(refused.status.failure?.message).toMatch(/another digest than was announced/)
}, 60_000)
