import { randomBytes } from 'node:crypto'
import {
  isReportOf,
  type ReportEnvelope,
  type SnapshotOrder,
  type SnapshotReport,
  snapshotWork,
} from '@hearth/contract'
import { generateSealingKeyPair, newId, seal, systemClock } from '@hearth/foundation'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ExclusionScope } from '../../host/exclusion-scope.ts'
import { exclusiveMachines } from '../../host/exclusive-machines.ts'
import { Lease } from '../../lease/lease.ts'
import { Reporter } from '../../reporting/reporter.ts'
import { Inbox } from '../inbox.ts'
import { MachineChanges } from '../machine-changes.ts'
import { Grants } from './copy/grants.ts'
import { SnapshotHandler } from './handler.ts'
import type { SnapshotWork } from './snapshot-work.ts'
import { putLayer, startTwoHosts } from './two-hosts.fixture.ts'

const keys = generateSealingKeyPair()
const log = pino({ enabled: false })
const now = () => performance.now()
const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
let hosts: Awaited<ReturnType<typeof startTwoHosts>>
let stopping: AbortController
let reports: SnapshotReport[]
let inbox: Inbox<SnapshotOrder, SnapshotWork>
let listening: Promise<void>
let grants: Grants
let machineChanges: MachineChanges
let lookMilliseconds = 20
beforeEach(async () => {
  hosts = await startTwoHosts()
  stopping = new AbortController()
  reports = []
  const { layers } = host()
  grants = new Grants(keys.privateKey, systemClock)
  const copy = () => Promise.reject(new Error('nothing is copied here'))
  const context = { layers, sealingKey: keys.privateKey, grants, copy, log, now }
  machineChanges = new MachineChanges()
  const handler = new SnapshotHandler(context, machineChanges, lookMilliseconds, null)
  const target = {
    publishReport: async (report: ReportEnvelope) => {
      if (isReportOf(snapshotWork, report)) reports.push(report)
    },
  }
  const identity = { runnerId: hosts.runners[0], epoch: 1 }
  inbox = new Inbox(
    handler,
    {
      lease: new Lease({ epoch: 1, milliseconds: 60_000, newestEpoch: async () => 0, now }),
      reporter: new Reporter(target, identity, systemClock, log, stopping.signal),
      ...{ now, log, retryMostMilliseconds: 50, unkeptFailureMilliseconds: 1_000 },
      stopping: stopping.signal,
    },
    identity,
  )
  listening = handler.listen(inbox, stopping.signal)
})
afterEach(async () => {
  vi.restoreAllMocks()
  stopping.abort()
  await inbox.settle()
  await listening
  await hosts[Symbol.asyncDispose]()
})

const host = () => hosts.hosts[0]

async function makeMachine(source: { layerId: string } | null = null): Promise<string> {
  const environmentId = newId()
  const machines = exclusiveMachines(host().machines, new ExclusionScope(hosts.folder, 'one'))
  await machines.create(
    {
      ...{ environmentId, hostname: 'shop', image: 'debian-12', virtualCpus: 1, memoryMebibytes: 512 },
      ...{ diskGibibytes: 1, limits: {}, userCertificateAuthority: 'ssh-ed25519 AAAA', source },
      principal: 'environment:x',
    },
    authority,
  )
  await machines.start(environmentId, authority)
  return environmentId
}

function order(environmentId: string, change: Partial<SnapshotOrder> = {}): SnapshotOrder {
  return {
    ...{ kind: 'snapshot', id: newId(), runnerId: hosts.runners[0], organizationId: newId(), epoch: 1 },
    ...{ generation: 1, desiredPhase: 'present', sealedForbidden: null },
    source: { kind: 'environment', environmentId, memory: true },
    ...change,
  }
}
const last = () => reports.at(-1)
const untilPhase = (phase: string) => expect.poll(() => last()?.phase, { timeout: 5_000 }).toBe(phase)

test('a running machine’s layer is made with its memory, reported with what it is, and goes after the machine', async () => {
  const environmentId = await makeMachine()
  const wanted = order(environmentId)
  inbox.put(wanted)
  await untilPhase('present')
  expect(reports[0]?.phase).toBe('creating')
  const { facts } = await host().layers.look(wanted.id)
  expect(last()).toMatchObject({ failure: null, layer: facts, keptBy: [] })
  expect(facts?.memory?.bytes).toBeGreaterThan(0)
  inbox.put({ ...wanted, generation: 2, desiredPhase: 'deleted' })
  await untilPhase('deleting')
  await host().machines.remove(environmentId, authority)
  await untilPhase('deleted')
  expect(last()?.layer).toBeNull()
})

test('a layer that should go stays as long as a disk stands on it, says whose, and then goes', async () => {
  const wanted = order(await makeMachine())
  inbox.put(wanted)
  await untilPhase('present')
  const fork = await makeMachine({ layerId: wanted.id })
  await host().machines.remove(originOf(wanted), authority)
  inbox.put({ ...wanted, generation: 2, desiredPhase: 'deleted' })
  await untilPhase('deleting')
  await expect.poll(() => last()?.keptBy).toEqual([fork])
  expect((await host().layers.look(wanted.id)).phase).toBe('present')
  await host().machines.remove(fork, authority)
  await untilPhase('deleted')
  expect(await host().layers.inventory()).toEqual([])
})

const originOf = ({ source }: SnapshotOrder) => (source.kind === 'environment' ? source.environmentId : '')

test('without room it fails with that cause, and leaves nothing', async () => {
  const wanted = order(await makeMachine())
  vi.spyOn(host(), 'freeDiskBytes').mockResolvedValue(0)
  inbox.put(wanted)
  await untilPhase('failed')
  expect(last()?.failure).toMatchObject({ code: 'disk_full' })
  expect(await host().layers.inventory()).toEqual([])
})

test('a layer that holds a forbidden value fails by the name of the secret, and goes', async () => {
  const secret = 'correct-horse-battery'
  const disk = Buffer.concat([randomBytes(50_000), Buffer.from(secret), randomBytes(5_000)])
  const wanted = order(newId())
  await putLayer(host(), { disk }, wanted.id)
  const sealedForbidden = seal(JSON.stringify({ TOKEN: secret }), keys.publicKey, wanted.id)
  inbox.put({ ...wanted, sealedForbidden })
  await untilPhase('failed')
  expect(last()?.failure).toMatchObject({ code: 'secret_found', message: expect.stringContaining('TOKEN') })
  expect(JSON.stringify(reports)).not.toContain(secret)
  await expect.poll(() => host().layers.inventory()).toEqual([])
})

test('a layer without the forbidden value is present', async () => {
  const wanted = order(newId())
  await putLayer(host(), { disk: randomBytes(50_000) }, wanted.id)
  const values = JSON.stringify({ TOKEN: 'correct-horse-battery' })
  inbox.put({ ...wanted, sealedForbidden: seal(values, keys.publicKey, wanted.id) })
  await untilPhase('present')
})

test('a grant that comes while the layer is being made is heard at once, and interrupts nothing', async () => {
  const wanted = order(newId())
  await putLayer(host(), { disk: randomBytes(50_000) }, wanted.id)
  inbox.put({ ...wanted, digest: 'one' })
  await untilPhase('present')
  const [told, id] = [reports.length, newId()]
  const sealedKey = seal(randomBytes(32).toString('base64'), keys.publicKey, id)
  const offer = { id, readerId: newId(), sealedKey, expiresAt: new Date(Date.now() + 60_000).toISOString() }
  inbox.put({ ...wanted, digest: 'two', grants: [offer] })
  expect([grants.find(id)?.layerId, reports.length]).toEqual([wanted.id, told])
  inbox.put({ ...wanted, digest: 'three', grants: [] })
  expect(grants.find(id)).toBeNull()
})

test('a layer is made to stand alone on request; without room it stays, says why, and another request tries again', async () => {
  const environmentId = await makeMachine()
  const [lower, upper] = [order(environmentId), order(environmentId)]
  for (const one of [lower, upper]) {
    inbox.put(one)
    await expect.poll(() => last()).toMatchObject({ id: one.id, phase: 'present' })
  }
  expect(last()?.layer?.parentId).toBe(lower.id)
  const full = vi.spyOn(host(), 'freeDiskBytes').mockResolvedValue(0)
  const [first, second] = [newId(), newId()]
  inbox.put({ ...upper, flatten: first })
  await expect
    .poll(() => last()?.unflattened)
    .toMatchObject({
      id: first,
      failure: { code: 'disk_full', message: expect.stringContaining('flattening') },
    })
  expect(last()).toMatchObject({ phase: 'present', failure: null, layer: { parentId: lower.id } })
  full.mockRestore()
  inbox.put({ ...upper, flatten: second })
  await expect.poll(() => last()?.layer?.parentId).toBeNull()
  await expect.poll(() => last()?.progress).toBeNull()
  expect(last()?.phase).toBe('present')
  await host().layers.verify(upper.id, new AbortController().signal)
})

test('a machine that is not there fails the snapshot', async () => {
  inbox.put(order(newId()))
  await untilPhase('failed')
  expect(last()?.failure?.message).toContain('there is no machine')
})

describe('where nobody looks by itself', () => {
  beforeAll(() => {
    lookMilliseconds = 60_000
  })
  afterAll(() => {
    lookMilliseconds = 20
  })

  test('a layer goes as soon as it is told that the machine is gone, and what it stood on goes after it', async () => {
    const environmentId = await makeMachine()
    const [lower, upper] = [order(environmentId), order(environmentId)]
    for (const one of [lower, upper]) {
      inbox.put(one)
      await expect.poll(() => last()).toMatchObject({ id: one.id, phase: 'present' })
    }
    for (const one of [lower, upper]) inbox.put({ ...one, generation: 2, desiredPhase: 'deleted' })
    const kept = () => new Set(reports.filter(({ keptBy }) => keptBy.length > 0).map(({ id }) => id))
    await expect.poll(kept).toEqual(new Set([lower.id, upper.id]))
    await host().machines.remove(environmentId, authority)
    machineChanges.tell(environmentId)
    await expect.poll(() => host().layers.inventory(), { timeout: 10_000 }).toEqual([])
  })
})
