import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type EnvironmentOrder,
  type EnvironmentReport,
  environmentWork,
  isReportOf,
  type Presence,
  type SyncReply,
  type SyncRequest,
} from '@hearth/contract'
import { generateSealingKeyPair, newId, systemClock } from '@hearth/foundation'
import type { Messaging, MessagingOptions } from '@hearth/messaging'
import { messagingStub, sampleOrder } from '@hearth/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAgent } from './agent.ts'
import { LocalCommandRunner } from './host/command/local.ts'
import { ExclusionScope } from './host/exclusion-scope.ts'
import { MachineStore } from './host/synthetic/machine-store.ts'
import { SyntheticGuest } from './host/synthetic/synthetic-guest.ts'
import { SyntheticHost } from './host/synthetic/synthetic-host.ts'
import { EpochFile } from './lease/epoch-file.ts'
import { defaultTimings, type Timings } from './timings.ts'
import { environments } from './work/environment/handler.ts'

const runnerId = newId()
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-agent-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The control plane's side of the messages, in memory. */
class Wire {
  readonly reports: EnvironmentReport[] = []
  readonly presences: Presence[] = []
  readonly syncs: SyncRequest[] = []
  reply: (request: SyncRequest) => SyncReply = () => ({ accepted: true, orders: [], unwanted: [] })
  deliver: (order: EnvironmentOrder) => Promise<void> = () => Promise.reject(new Error('nobody consumes yet'))
  reconnect: () => void = () => undefined
  isConnected = true
  connect = async (options: MessagingOptions): Promise<Messaging> => this.messaging(options)
  private readonly changed = new Set<() => void>()

  messaging(options: MessagingOptions): Messaging {
    this.reconnect = () => options.onStatus?.('reconnected', '')
    return messagingStub({
      session: () => 1,
      serveCalls: async () => undefined,
      consumeOrders: (_, handle, signal) => {
        this.deliver = handle
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      },
      publishReport: async (report) => {
        if (isReportOf(environmentWork, report)) this.reports.push(report)
        this.tell()
      },
      publishLog: async () => undefined,
      publishPresence: (presence) => {
        this.presences.push(presence)
        this.tell()
      },
      requestSync: async (request) => {
        this.syncs.push(request)
        this.tell()
        return this.reply(request)
      },
      flush: async () => undefined,
      isConnected: () => this.isConnected,
      close: async () => undefined,
    })
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return
        this.changed.delete(check)
        resolve()
      }
      this.changed.add(check)
      check()
    })
  }

  private tell(): void {
    for (const check of this.changed) check()
  }
}

function start(wire: Wire, firstEpoch = 4, timings: Partial<Timings> = {}) {
  let nextEpoch = firstEpoch
  const world = {
    settings: {
      createMilliseconds: 0,
      bootMilliseconds: 0,
      stepMilliseconds: 0,
      freezeMilliseconds: 0,
      resumeMilliseconds: 0,
      readMilliseconds: 0,
      repositories: null,
      runsCommands: false,
      failures: {},
    },
    clock: systemClock,
    random: Math.random,
  }
  const capacity = { virtualCpus: 1, memoryMebibytes: 1, diskGibibytes: 1 }
  const host = new SyntheticHost({
    ...world,
    machinesFolder: folder,
    layersFolder: `${folder}-layers`,
    volumesFolder: `${folder}-volumes`,
    exclusion: new ExclusionScope(`${folder}-locks`, folder),
    diskReserveBytes: 0,
    owner: runnerId,
    capacity,
    images: ['debian-12'],
  })
  const store = new MachineStore(folder, runnerId)
  const sealing = generateSealingKeyPair()
  const stop = new AbortController()
  const ended = runAgent(
    {
      host,
      work: [environments],
      epochs: new EpochFile(
        new LocalCommandRunner(),
        join(folder, 'epoch.json'),
        runnerId,
        join(folder, 'locks'),
      ),
      openGuest: (machine) => new SyntheticGuest(machine, store, world),
      runnerId,
      sealingKey: sealing.privateKey,
      bootConcurrency: 1,
      resumeFreeBytes: 1,
      stepDeadlines: {},
      listen: null,
      clock: systemClock,
      timings: { ...defaultTimings, ...timings },
      log: pino({ enabled: false }),
      readFacts: async () => ({
        ...(await host.facts()),
        agentVersion: '0.1.0',
        sealingKey: sealing.publicKey,
      }),
      register: async () => ({
        runnerId,
        organizationId: newId(),
        epoch: nextEpoch++,
        nats: { servers: ['nats://h:1'], credentials: null },
      }),
      renewCredentials: () => Promise.reject(new Error('they do not end')),
      connect: (options) => wire.connect(options),
    },
    stop.signal,
  )
  return { ended, stop: () => stop.abort(), host }
}

const orderOf = (id: string, change: Partial<EnvironmentOrder> = {}) =>
  sampleOrder({ id, runnerId, epoch: 4, ...change })

test('orders of the stream and of the first sync are fulfilled, and a stop leaves the machines', async () => {
  const wire = new Wire()
  const [streamed, synced] = [newId(), newId()]
  wire.reply = () => ({ accepted: true, orders: [orderOf(synced)], unwanted: [] })
  const agent = start(wire)
  await wire.until(() => wire.syncs.length === 1)
  await wire.deliver(orderOf(streamed))
  await wire.until(() => wire.reports.filter(({ phase }) => phase === 'running').length === 2)
  expect(wire.presences[0]).toMatchObject({ runnerId, epoch: 4 })
  agent.stop()
  expect(await agent.ended).toBe('stopped')
  expect((await agent.host.machines.look(streamed)).power).toBe('running')
})

test('the synchronisation lists what is on the host, and what is still wanted is adopted', async () => {
  const id = newId()
  const first = new Wire()
  first.reply = () => ({ accepted: true, orders: [orderOf(id)], unwanted: [] })
  const before = start(first)
  await first.until(() => first.reports.at(-1)?.phase === 'running')
  before.stop()
  await before.ended
  const second = new Wire()
  second.reply = () => ({ accepted: true, orders: [orderOf(id, { epoch: 5 })], unwanted: [] })
  const after = start(second, 5)
  await second.until(() => second.reports.length > 0)
  expect(second.syncs[0]?.inventory).toEqual([{ environmentId: id, epoch: 4, generation: 1 }])
  expect(second.reports.map(({ phase }) => phase)).toEqual(['running'])
  expect(second.reports[0]?.steps).toEqual(first.reports.at(-1)?.steps)
  after.stop()
  await after.ended
})

test('after NATS is back everything is synchronised and reported again', async () => {
  const wire = new Wire()
  const id = newId()
  wire.reply = () => ({ accepted: true, orders: [orderOf(id)], unwanted: [] })
  const agent = start(wire)
  await wire.until(() => wire.reports.at(-1)?.phase === 'running')
  const reported = wire.reports.length
  wire.reconnect()
  await wire.until(() => wire.syncs.length === 2 && wire.reports.length > reported)
  agent.stop()
  await agent.ended
})

test('an agent names the orders it has and requests every page of those it lacks', async () => {
  const wire = new Wire()
  const [first = '', second = ''] = [newId(), newId()].sort()
  wire.reply = ({ held = {}, after }) => {
    if (held[first] !== undefined) return { accepted: true, orders: [], unchanged: [first], unwanted: [] }
    return after === null
      ? { accepted: true, orders: [orderOf(first, { digest: 'a' })], unwanted: [], next: first }
      : { accepted: true, orders: [orderOf(second)], unwanted: [], next: null }
  }
  const agent = start(wire)
  await wire.until(() => wire.reports.filter(({ phase }) => phase === 'running').length === 2)
  wire.reconnect()
  await wire.until(() => wire.syncs.length === 3)
  // The second order has no digest, like those of an older control plane.
  expect(wire.syncs.map(({ held, after }) => ({ held, after }))).toEqual([
    { held: {}, after: null },
    { held: {}, after: first },
    { held: { [first]: 'a' }, after: null },
  ])
  agent.stop()
  await agent.ended
})

test('a newer agent’s lease ends this agent, whether it learns of it from a synchronisation or an order', async () => {
  const bySync = new Wire()
  bySync.reply = () => ({ accepted: false, reason: 'superseded', currentEpoch: 9 })
  expect(await start(bySync).ended).toBe('superseded')
  const byOrder = new Wire()
  const agent = start(byOrder)
  await byOrder.until(() => byOrder.syncs.length === 1)
  // The order is refused and not acknowledged: it belongs to the newer agent.
  await expect(byOrder.deliver(orderOf(newId(), { epoch: 5 }))).rejects.toThrow('epoch 5')
  expect(await agent.ended).toBe('superseded')
  expect(byOrder.reports).toEqual([])
})

test('an agent that stops in order says so last; one that was replaced does not', async () => {
  const wire = new Wire()
  const agent = start(wire)
  await wire.until(() => wire.syncs.length === 1)
  agent.stop()
  await agent.ended
  expect(wire.presences.map(({ leaving }) => leaving ?? false)).toEqual([false, true])
  const replaced = new Wire()
  replaced.reply = () => ({ accepted: false, reason: 'superseded', currentEpoch: 9 })
  await start(replaced, 5).ended
  expect(replaced.presences.some(({ leaving }) => leaving)).toBe(false)
})

test('an agent that is stopped while it waits for NATS has stopped in order', async () => {
  const wire = new Wire()
  const waits = new Promise<void>((begin) => {
    wire.connect = ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        begin()
      })
  })
  const agent = start(wire)
  await waits
  agent.stop()
  expect(await agent.ended).toBe('stopped')
})

test('an agent that has reached nobody for the length of its lease starts nothing new until it is answered', async () => {
  const wire = new Wire()
  const agent = start(wire, 4, { lease: 100, heartbeat: 10, synchronisationSpread: 0 })
  await wire.until(() => wire.syncs.length === 1)
  wire.isConnected = false
  const presences = wire.presences.length
  // Together, these heartbeat intervals are longer than the lease.
  await wire.until(() => wire.presences.length > presences + 20)
  const id = newId()
  await wire.deliver(orderOf(id))
  await wire.until(() => wire.presences.length > presences + 30)
  expect((await agent.host.machines.look(id)).power).toBe('absent')
  const syncs = wire.syncs.length
  wire.isConnected = true
  await wire.until(() => wire.reports.at(-1)?.phase === 'running')
  expect(wire.syncs.length).toBeGreaterThan(syncs)
  agent.stop()
  await agent.ended
})

test('an agent with an older lease ends when a newer one acts on its host, even if no message says so', async () => {
  const wire = new Wire()
  const older = start(wire, 4, { heartbeat: 20 })
  await wire.until(() => wire.syncs.length === 1)
  const silent = new Wire()
  const newer = start(silent, 5)
  expect(await older.ended).toBe('superseded')
  newer.stop()
  await newer.ended
})

test('an agent of a control plane that was restored from a backup registers until its lease is the newest', async () => {
  const before = new Wire()
  const first = start(before, 7)
  await before.until(() => before.syncs.length === 1)
  first.stop()
  await first.ended
  const restored = new Wire()
  const second = start(restored, 3)
  await restored.until(() => restored.syncs.length === 1)
  expect(restored.syncs[0]?.epoch).toBe(7)
  second.stop()
  expect(await second.ended).toBe('stopped')
})

test('a paused guest is reported at once, also during a step, and continues when there is space', async () => {
  const wire = new Wire()
  const { ended, stop, host } = start(wire, 4, { pausedMachines: 20 })
  const id = newId()
  await wire.until(() => wire.syncs.length > 0)
  await wire.deliver(orderOf(id))
  const last = () => wire.reports.filter((report) => report.id === id).at(-1)
  await wire.until(() => last()?.phase === 'running')
  await host.machines.pause(id, 'suspended')
  await wire.until(() => last()?.paused?.reason === 'suspended')
  expect(last()?.phase).toBe('running')
  await host.machines.pause(id, 'io_error')
  await wire.until(() => last()?.paused === null)
  expect((await host.machines.look(id)).power).toBe('running')
  stop()
  await ended
})
