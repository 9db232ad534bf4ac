import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EnvironmentReport } from '@hearth/contract'
import { newId, systemClock } from '@hearth/foundation'
import { sampleOrder } from '@hearth/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Authority } from '../../host/authority.ts'
import { ExclusionScope } from '../../host/exclusion-scope.ts'
import { exclusiveMachines } from '../../host/exclusive-machines.ts'
import type { Host } from '../../host/host.ts'
import { MachineStore } from '../../host/synthetic/machine-store.ts'
import { SyntheticGuest } from '../../host/synthetic/synthetic-guest.ts'
import { SyntheticHost } from '../../host/synthetic/synthetic-host.ts'
import { environmentInbox } from './inbox.fixture.ts'

const runnerId = newId()
const id = newId()
let folder: string
const stopping = new AbortController()
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-removal-'))
})
afterEach(async () => {
  for (const path of [folder, `${folder}-locks`]) await rm(path, { recursive: true, force: true })
})

/** An inbox over a synthetic host whose removals wait until the test releases them. */
function inboxOf(gate: { beforeRemoval?(): Promise<void>; inRemoval?(): Promise<void> } = {}) {
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
  const exclusion = new ExclusionScope(`${folder}-locks`, folder)
  const synthetic = new SyntheticHost({
    ...world,
    machinesFolder: folder,
    layersFolder: `${folder}-layers`,
    volumesFolder: `${folder}-volumes`,
    exclusion,
    diskReserveBytes: 0,
    owner: runnerId,
    capacity: { virtualCpus: 1, memoryMebibytes: 1, diskGibibytes: 1 },
    images: ['debian-12'],
  })
  const { machines } = synthetic
  const remove = machines.remove.bind(machines)
  machines.remove = async (environmentId: string, authority: Authority) => {
    await gate.inRemoval?.()
    await remove(environmentId, authority)
  }
  const exclusive = exclusiveMachines(machines, exclusion)
  const host: Host = {
    machines: new Proxy(exclusive, {
      get: (object, name) =>
        name === 'remove'
          ? async (environmentId: string, authority: Authority) => {
              await gate.beforeRemoval?.()
              await object.remove(environmentId, authority)
            }
          : (Reflect.get(object, name) as unknown),
    }),
    layers: synthetic.layers,
    volumes: synthetic.volumes,
    facts: () => synthetic.facts(),
    freeDiskBytes: () => synthetic.freeDiskBytes(),
    close: () => synthetic.close(),
  }
  const reports: EnvironmentReport[] = []
  const told = new Set<() => void>()
  const store = new MachineStore(folder, runnerId)
  const { inbox } = environmentInbox({
    host,
    openGuest: (machine) => new SyntheticGuest(machine, store, world),
    runnerId,
    epoch: 1,
    sealingKey: '',
    unkeptFailureMilliseconds: 60_000,
    stopping: stopping.signal,
    closing: stopping.signal,
    onReport: (report) => {
      reports.push(report)
      for (const check of told) check()
    },
    onLog: () => undefined,
  })
  const running = (generation: number) =>
    new Promise<EnvironmentReport>((resolve) => {
      const check = () => {
        const report = reports.at(-1)
        if (report?.phase !== 'running' || report.generation !== generation) return
        told.delete(check)
        resolve(report)
      }
      told.add(check)
      check()
    })
  return { inbox, host, reports, running }
}

const order = (generation: number) => sampleOrder({ id, runnerId, generation })

test('an unwanted machine is removed together with its order', async () => {
  const { inbox, running } = inboxOf()
  inbox.put(order(1))
  await running(1)
  expect(await inbox.removeUnwanted(id, 1)).toBe(true)
  expect(await readdir(folder)).toEqual([])
  expect([inbox.size, inbox.lastOrderAt(id)]).toEqual([0, null])
})

test('an order that comes before the removal has begun cancels it, and the machine is unchanged', async () => {
  let letOn: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    letOn = resolve
  })
  const { inbox, host, running } = inboxOf({ beforeRemoval: () => gate })
  inbox.put(order(1))
  await running(1)
  const before = await host.machines.look(id)
  const removal = inbox.removeUnwanted(id, 1)
  inbox.put(order(2))
  letOn()
  expect(await removal).toBe(false)
  expect((await running(2)).failure).toBeNull()
  expect((await host.machines.look(id)).address).toEqual(before.address)
  expect((await host.machines.look(id)).identity).toEqual(before.identity)
  expect((await host.machines.look(id)).ownership?.createdAt).toBe(before.ownership?.createdAt)
})

test('an order that comes during the removal waits for its end, and makes the machine again', async () => {
  let letOn: () => void = () => undefined
  let begun: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    letOn = resolve
  })
  const inRemoval = new Promise<void>((resolve) => {
    begun = resolve
  })
  const { inbox, host, reports, running } = inboxOf({
    inRemoval: () => {
      begun()
      return gate
    },
  })
  inbox.put(order(1))
  const first = await running(1)
  const removal = inbox.removeUnwanted(id, 1)
  await inRemoval
  inbox.put(order(2))
  letOn()
  expect(await removal).toBe(true)
  const second = await running(2)
  expect(second.steps[0]?.startedAt).not.toBe(first.steps[0]?.startedAt)
  expect(reports.some(({ phase }) => phase === 'failed')).toBe(false)
  expect((await host.machines.look(id)).power).toBe('running')
})
