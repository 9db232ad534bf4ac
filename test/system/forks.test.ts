import {
  type Claim,
  type EnvironmentReport,
  type Fork,
  forkSchema,
  type Snapshot,
  type SnapshotReport,
  snapshotSchema,
} from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { createStep, type ScriptedRunner, startScriptedRunner } from './scripted-runner.ts'

let installation: Installation
let runner: ScriptedRunner
let claim: Claim
const patience = { timeoutMilliseconds: 30_000 }
const address = { host: '127.0.0.1', port: 22, user: 'root', hostKey: newPublicKey() }
let sequence = 0

beforeAll(async () => {
  installation = await startInstallation()
  runner = await startScriptedRunner(installation, 1)
  const { client } = installation
  const [id = ''] = runner.machines
  await tell(id, {})
  await eventually(
    async () => ((await client.environments.get(id)).status.phase === 'running' ? true : null),
    patience,
  )
  const { warmPoolId } = (await client.environments.get(id)).spec
  claim = await client.claims.create({ spec: { warmPoolId: warmPoolId ?? '', publicKey: newPublicKey() } })
  // The pool would fill again on the same runner: that is another test's.
  await client.warmPools.update(warmPoolId ?? '', { spec: { enabled: false } })
}, 60_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

async function tell(id: string, changes: Partial<EnvironmentReport>): Promise<void> {
  sequence += 1
  const steps = [{ ...createStep(''), phase: 'succeeded' as const }]
  await runner.messaging.publishReport(
    runner.report(id, sequence, { phase: 'running', address, steps, ...changes }),
  )
}

async function tellLayer(id: string, changes: Partial<SnapshotReport> = {}): Promise<void> {
  sequence += 1
  const { runnerId, epoch } = runner
  const file = { bytes: 1_000, digest: 'a'.repeat(64) }
  const layer = {
    parentId: null,
    depth: 1,
    disk: file,
    totalBytes: 1_000,
    virtualBytes: 4_000,
    memory: file,
    memoryFault: null,
    pausedMilliseconds: 52,
  }
  const report: SnapshotReport = {
    kind: 'snapshot',
    id,
    runnerId,
    epoch,
    generation: 1,
    sequence,
    phase: 'present',
    layer,
    progress: null,
    keptBy: [],
    failure: null,
    reportedAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  }
  await runner.messaging.publishReport(report)
}

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const { url, token } = installation
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text() }
}
const act = (action: string, body: object, headers = {}) =>
  post(`/v1/claims/${claim.metadata.id}/${action}`, body, headers)
const snapshots = () => installation.client.resources('Snapshot')
const until = <Value>(ask: () => Promise<Value | null>) => eventually(ask, patience)
const ready = (id: string) =>
  until(async () => ((await snapshots().get(id)).status.phase === 'ready' ? true : null))

test('forks wait for their snapshot, start from it where it is held, and their claims are bound when they run', async () => {
  const { client } = installation
  const key = { 'Idempotency-Key': 'three-ways' }
  const first = await act('fork', { count: 2 }, key)
  expect([first.status, first.text]).toEqual([201, expect.any(String)])
  expect((await act('fork', { count: 2 }, key)).text).toBe(first.text)
  const fork: Fork = forkSchema.parse(JSON.parse(first.text))
  const snapshotId = fork.snapshot.metadata.id
  expect(fork.snapshot.spec).toMatchObject({ memory: true, purpose: 'fork', claimId: claim.metadata.id })
  expect(fork.claims.map(({ status }) => status.forkOf)).toEqual(
    Array.from({ length: 2 }, () => ({ claimId: claim.metadata.id, snapshotId })),
  )
  const ids = fork.environments.map(({ metadata }) => metadata.id)
  expect((await client.environments.why(ids[0] ?? '')).sentence).toContain('which is pending')

  await tellLayer(snapshotId)
  for (const [index, id] of ids.entries()) {
    const placed = await until(async () => {
      const environment = await client.environments.get(id)
      return environment.status.runnerId === null ? null : environment
    })
    expect(placed.status).toMatchObject({
      runnerId: runner.runnerId,
      placement: expect.stringContaining(`it holds snapshot ${fork.snapshot.metadata.name}`),
    })
    const startedFrom = { from: 'memory' as const, snapshotId, incarnation: 1, reason: null }
    await tell(id, { startedFrom })
    const bound = await until(async () => {
      const seen = await client.claims.get(fork.claims[index]?.metadata.id ?? '')
      return seen.status.phase === 'bound' ? seen : null
    })
    expect(bound.status).toMatchObject({ environmentId: id, connection: { address } })
    expect((await client.environments.get(id)).status.startedFrom).toEqual(startedFrom)
  }
  // Its forks stand on it.
  await expect(snapshots().delete(snapshotId)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(fork.environments[0]?.metadata.name ?? ''),
  })
  await expect(snapshots().delete(snapshotId, { force: true })).rejects.toMatchObject({ code: 'conflict' })
})

test('a fork whose snapshot fails, fails with its cause', async () => {
  const { client } = installation
  const fork: Fork = forkSchema.parse(JSON.parse((await act('fork', { cold: true })).text))
  const failure = { code: 'disk_full' as const, message: 'the host has 1 MiB left' }
  await tellLayer(fork.snapshot.metadata.id, { phase: 'failed', layer: null, failure })
  const failed = await until(async () => {
    const seen = await client.claims.get(fork.claims[0]?.metadata.id ?? '')
    return seen.status.phase === 'failed' ? seen : null
  })
  expect(failed.status.failure).toMatchObject({
    code: 'disk_full',
    message: expect.stringContaining('the host has 1 MiB left'),
  })
})

test('a machine is put back to its newest checkpoint, and what it said before does not count', async () => {
  const { client } = installation
  const id = claim.status.environmentId ?? ''
  expect(await act('restore', {})).toMatchObject({
    status: 409,
    text: expect.stringContaining('no checkpoint'),
  })
  const made: Snapshot = snapshotSchema.parse(JSON.parse((await act('checkpoint', { name: 'before' })).text))
  expect(made.spec.purpose).toBe('checkpoint')
  expect(await act('restore', { checkpoint: 'before' })).toMatchObject({ status: 409 })
  await tellLayer(made.metadata.id)
  await ready(made.metadata.id)
  expect((await act('restore', { memory: false })).status).toBe(202)
  const restoring = await client.environments.get(id)
  expect(restoring).toMatchObject({
    specVersion: 2,
    spec: { source: { snapshotId: made.metadata.id, memory: false } },
    status: { phase: 'starting' },
  })
  await tell(id, { generation: 1 })
  await tell(id, { generation: 2 })
  await until(async () => ((await client.environments.get(id)).status.phase === 'running' ? true : null))
  expect((await client.environments.get(id)).status.observedSpecVersion).toBe(2)
})

test('a machine starts from a ready snapshot of its project, in a class that its disk fits', async () => {
  const { client } = installation
  const { projectId } = (await client.environments.get(claim.status.environmentId ?? '')).spec
  const [snapshot] = (await snapshots().listAll({})).filter(({ metadata }) => metadata.name === 'before')
  const snapshotId = snapshot?.metadata.id ?? ''
  const size = { virtualCpus: 2, memoryMebibytes: 512, image: 'debian-12' }
  const classOf = async (name: string, diskGibibytes: number) =>
    (await client.environmentClasses.create({ name, spec: { ...size, diskGibibytes } })).metadata.id
  const create = (environmentClassId: string, source: object) =>
    post('/v1/environments', { spec: { projectId, environmentClassId, source } })
  expect(await create(await classOf('tiny', 1), { snapshotId })).toMatchObject({
    status: 422,
    text: expect.stringContaining('smaller than its disk'),
  })
  const large = await classOf('large-disk', 500)
  const absent = '01a1fa4e-603f-7430-bf4f-d3db55a95706'
  expect((await create(large, { snapshotId: absent })).status).toBe(404)
  const made = await create(large, { snapshotId })
  expect(made.status).toBe(201)
  const { metadata } = JSON.parse(made.text)
  await until(async () => (await client.environments.get(metadata.id)).status.runnerId)
  await tell(metadata.id, { startedFrom: { from: 'disk', snapshotId, incarnation: 1, reason: null } })
  const started = await until(async () => (await client.environments.get(metadata.id)).status.startedFrom)
  expect(started.reason).toContain('the memory is of a machine with')
})
