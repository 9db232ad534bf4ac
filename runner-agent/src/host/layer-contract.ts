import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import type { FailureCode } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { type Authority, StaleAuthority } from './authority.ts'
import type { Host } from './host.ts'
import { HostError } from './host-error.ts'
import type { LayerFileName, LayerManifest } from './layer.ts'
import type { MachineSpecification } from './machine.ts'

export interface LayerContractSetting {
  host: Host
  /** Id of the runner for which `host` is driven. */
  owner: string
  /** The same host, driven for another runner. */
  foreignHost: Host
  /** Another host of the same runner, which has the same images. */
  otherHost: Host
  /** Specification of a machine that the host can create; each promise uses its own machine. */
  specification(): MachineSpecification
  /** Changes bytes of a layer's file on `host`, as a failing disk or a person might. */
  damage(layerId: string, file: LayerFileName): Promise<void>
}

/** What every host promises of layers: each promise is the name and the body of a test. */
export const layerContract: readonly (readonly [
  promise: string,
  holds: (setting: LayerContractSetting) => Promise<void>,
])[] = [
  [
    'a layer nobody made is absent',
    async ({ host }) => {
      const layerId = newId()
      deepStrictEqual(await host.layers.look(layerId), {
        ...{ layerId, ownership: null, phase: 'absent', facts: null, origin: null, machine: null },
      })
      deepStrictEqual(await host.layers.remove(layerId, authority), [])
    },
  ],
  [
    'the disk of a machine that is off becomes a layer that says whose it is, and the machine starts over it',
    onMachine(async ({ setting, given, freeze }) => {
      const { host, owner } = setting
      const layerId = await freeze(true)
      const layer = await host.layers.look(layerId)
      strictEqual(layer.phase, 'present')
      deepStrictEqual([layer.ownership?.owner, layer.ownership?.layerId], [owner, layerId])
      const { facts, origin, machine } = layer
      deepStrictEqual([facts?.parentId, facts?.depth, facts?.pausedMilliseconds], [null, 1, null])
      strictEqual(facts?.totalBytes, facts?.disk.bytes)
      strictEqual(facts?.memory, null)
      ok(facts?.memoryFault?.includes('off'))
      const seen = await host.machines.look(given.environmentId)
      deepStrictEqual(origin?.identity, seen.identity)
      strictEqual(machine?.image, given.image)
      strictEqual(machine?.virtualBytes, given.diskGibibytes * 1024 ** 3)
      strictEqual(seen.power, 'shut_off')
      await host.machines.start(given.environmentId, authority)
      strictEqual((await host.machines.look(given.environmentId)).power, 'running')
    }),
  ],
  [
    'freezing, flattening and removing may each be done twice',
    onMachine(async ({ setting: { host }, given, freeze }) => {
      const layerId = await freeze(false)
      const before = await host.layers.look(layerId)
      await host.layers.freeze({ layerId, environmentId: given.environmentId, memory: false }, authority)
      deepStrictEqual(await host.layers.look(layerId), before)
      await host.layers.flatten(layerId, () => undefined, neverAborted, authority)
      await host.layers.flatten(layerId, () => undefined, neverAborted, authority)
      await host.machines.remove(given.environmentId, newest)
      deepStrictEqual(await host.layers.remove(layerId, authority), [])
      deepStrictEqual(await host.layers.remove(layerId, authority), [])
      strictEqual((await host.layers.look(layerId)).phase, 'absent')
    }),
  ],
  [
    'a running machine is frozen with its memory and runs on',
    onMachine(async ({ setting: { host }, given, freeze }) => {
      await host.machines.start(given.environmentId, authority)
      const layerId = await freeze(true)
      const { facts } = await host.layers.look(layerId)
      ok((facts?.memory?.bytes ?? 0) > 0, facts?.memoryFault ?? '')
      ok((facts?.pausedMilliseconds ?? -1) >= 0)
      strictEqual((await host.machines.look(given.environmentId)).power, 'running')
      await host.machines.powerOff(given.environmentId, authority)
      await host.machines.start(given.environmentId, authority)
      strictEqual((await host.machines.look(given.environmentId)).power, 'running')
    }),
  ],
  [
    'a layer of a machine that stands on a layer stands on that one',
    onMachine(async ({ setting: { host }, freeze }) => {
      const lower = await freeze(false)
      const upper = await freeze(false)
      const { facts } = await host.layers.look(upper)
      deepStrictEqual([facts?.parentId, facts?.depth], [lower, 2])
      const below = (await host.layers.look(lower)).facts
      strictEqual(facts?.totalBytes, (facts?.disk.bytes ?? 0) + (below?.totalBytes ?? 0))
      deepStrictEqual(await usersOf(host, lower), [upper])
    }),
  ],
  [
    'a machine made from a layer is somebody else, and the layer stays as long as a disk stands on it',
    onMachine(async ({ setting: { host, specification }, given, freeze, forked }) => {
      const layerId = await freeze(false)
      const fork = { ...specification(), source: { layerId } }
      await forked(fork)
      const [origin, made] = [
        await host.machines.look(given.environmentId),
        await host.machines.look(fork.environmentId),
      ]
      ok(origin.identity?.machineId !== made.identity?.machineId)
      ok(origin.address?.hostKey !== undefined && made.address?.hostKey !== undefined)
      const both = [given.environmentId, fork.environmentId].sort()
      deepStrictEqual(await usersOf(host, layerId), both)
      deepStrictEqual((await host.layers.remove(layerId, authority)).sort(), both)
      await host.machines.start(fork.environmentId, authority)
      await host.machines.remove(given.environmentId, newest)
      deepStrictEqual(await host.layers.remove(layerId, authority), [fork.environmentId])
      strictEqual((await host.layers.look(layerId)).phase, 'present')
      await host.machines.remove(fork.environmentId, newest)
      deepStrictEqual(await host.layers.remove(layerId, authority), [])
      strictEqual((await host.layers.look(layerId)).phase, 'absent')
    }),
  ],
  [
    'a machine goes on from a memory that fits, once; one that does not fit is refused with the reason and boots',
    onMachine(async ({ setting: { host, specification }, given, freeze, forked }) => {
      await host.machines.start(given.environmentId, authority)
      const layerId = await freeze(true)
      const fork = { ...specification(), source: { layerId } }
      await forked(fork)
      await host.machines.startFromMemory(fork.environmentId, layerId, authority)
      strictEqual((await host.machines.look(fork.environmentId)).power, 'running')
      await host.machines.powerOff(fork.environmentId, authority)
      await refused('host_refused', () =>
        host.machines.startFromMemory(fork.environmentId, layerId, authority),
      )
      const larger = { ...specification(), source: { layerId } }
      larger.memoryMebibytes += 64
      await forked(larger)
      await refused('memory_unusable', () =>
        host.machines.startFromMemory(larger.environmentId, layerId, authority),
      )
      strictEqual((await host.machines.look(larger.environmentId)).power, 'shut_off')
      await host.machines.start(larger.environmentId, authority)
      strictEqual((await host.machines.look(larger.environmentId)).power, 'running')
    }),
  ],
  [
    'a machine smaller than the layer’s disk, and one over no layer, is refused and leaves nothing',
    onMachine(async ({ setting: { host, specification }, freeze }) => {
      const layerId = await freeze(false)
      const small = { ...specification(), source: { layerId } }
      small.diskGibibytes -= 1
      await refused('layer_unfit', () => host.machines.create(small, authority))
      const missing = { ...specification(), source: { layerId: newId() } }
      await refused('layer_damaged', () => host.machines.create(missing, authority))
      for (const { environmentId } of [small, missing]) {
        strictEqual((await host.machines.look(environmentId)).ownership, null)
      }
    }),
  ],
  [
    'the disk of a machine that is off is replaced by one over a layer',
    onMachine(async ({ setting: { host }, given, freeze }) => {
      const { environmentId } = given
      const first = await freeze(false)
      const second = await freeze(false)
      deepStrictEqual(await usersOf(host, second), [environmentId])
      await host.machines.start(environmentId, authority)
      await refused('host_refused', () => host.machines.replaceDisk(environmentId, first, authority))
      await host.machines.powerOff(environmentId, authority)
      await host.machines.replaceDisk(environmentId, first, authority)
      deepStrictEqual(await usersOf(host, second), [])
      deepStrictEqual(await usersOf(host, first), [environmentId, second].sort())
      await host.machines.start(environmentId, authority)
    }),
  ],
  [
    'a flattened layer stands on the image alone, and machines on it go on',
    onMachine(async ({ setting: { host, specification }, freeze, forked }) => {
      const lower = await freeze(false)
      const upper = await freeze(false)
      const fork = { ...specification(), source: { layerId: upper } }
      await forked(fork)
      await host.machines.start(fork.environmentId, authority)
      const told: number[] = []
      await host.layers.flatten(upper, (done, total) => told.push(done / total), neverAborted, authority)
      strictEqual(told.at(-1), 1)
      const { facts, phase } = await host.layers.look(upper)
      deepStrictEqual([phase, facts?.parentId, facts?.depth], ['present', null, 1])
      strictEqual(facts?.totalBytes, facts?.disk.bytes)
      await host.layers.verify(upper, neverAborted)
      deepStrictEqual(await host.layers.remove(lower, authority), [])
      await host.machines.powerOff(fork.environmentId, authority)
      await host.machines.start(fork.environmentId, authority)
      strictEqual((await host.machines.look(fork.environmentId)).power, 'running')
    }),
  ],
  [
    'a layer that was changed is found before a machine starts on it',
    onMachine(async ({ setting: { host, specification, damage }, given, freeze }) => {
      const layerId = await freeze(false)
      await host.layers.verify(layerId, neverAborted)
      await damage(layerId, 'disk')
      await refused('layer_damaged', () => host.layers.verify(layerId, neverAborted))
      const fork = { ...specification(), source: { layerId } }
      await refused('layer_damaged', () => host.machines.create(fork, authority))
      strictEqual((await host.machines.look(fork.environmentId)).ownership, null)
      await refused('layer_damaged', () => host.machines.start(given.environmentId, authority))
    }),
  ],
  [
    'another runner’s layer is seen as such and never touched',
    onMachine(async ({ setting: { host, foreignHost, otherHost }, given, freeze }) => {
      const layerId = await freeze(false)
      const before = await host.layers.look(layerId)
      const environmentId = given.environmentId
      for (const touch of [
        () => foreignHost.layers.freeze({ layerId, environmentId, memory: false }, newest),
        () => foreignHost.layers.freeze({ layerId: newId(), environmentId, memory: false }, newest),
        () => foreignHost.layers.remove(layerId, newest),
        () => foreignHost.layers.flatten(layerId, () => undefined, neverAborted, newest),
        () => foreignHost.layers.beginCopy(manifestOf(before), newest),
      ]) {
        await rejects(touch, /not this runner/)
      }
      deepStrictEqual(await host.layers.look(layerId), before)
      strictEqual((await otherHost.layers.look(layerId)).phase, 'absent')
    }),
  ],
  [
    'a layer worked on under a newer lease or order is left alone by an older one, and by one that is gone',
    onMachine(async ({ setting: { host }, given, freeze }) => {
      const layerId = newId()
      const { environmentId } = given
      await host.machines.stamp(environmentId, authorityOf(3, 50))
      const request = { layerId, environmentId, memory: false }
      await rejects(() => host.layers.freeze(request, authorityOf(2, 60)), StaleAuthority)
      const gone: Authority = { ...newest, assertHeld: () => Promise.reject(new Error('gone')) }
      await rejects(() => host.layers.freeze(request, gone), /gone/)
      strictEqual((await host.layers.look(layerId)).phase, 'absent')
      // The generation of the machine's order says nothing about that of the layer's.
      await freeze(false, layerId, authorityOf(3, 5))
      const before = await host.layers.look(layerId)
      for (const older of [authorityOf(2, 6), authorityOf(3, 4)]) {
        await rejects(() => host.layers.freeze(request, older), StaleAuthority)
        await rejects(() => host.layers.remove(layerId, older), StaleAuthority)
        await rejects(
          () => host.layers.flatten(layerId, () => undefined, neverAborted, older),
          StaleAuthority,
        )
      }
      await rejects(() => host.layers.remove(layerId, gone), /gone/)
      deepStrictEqual(await host.layers.look(layerId), before)
    }),
  ],
  [
    'a copy on another host goes on where it was cut, is checked, and is as good as the first',
    onMachine(async ({ setting: { host, otherHost, specification }, given, freeze }) => {
      await host.machines.start(given.environmentId, authority)
      const layerId = await freeze(true)
      const manifest = manifestOf(await host.layers.look(layerId))
      const fork = { ...specification(), source: { layerId } }
      try {
        await otherHost.layers.beginCopy(manifest, authority)
        strictEqual((await otherHost.layers.look(layerId)).phase, 'partial')
        const start = await host.layers.read(layerId, 'disk', 0, 1_000)
        await otherHost.layers.write(layerId, 'disk', 0, start, authority)
        await otherHost.layers.beginCopy(manifest, authority)
        strictEqual(await otherHost.layers.receivedBytes(layerId, 'disk'), 1_000)
        await refused('host_refused', () => otherHost.layers.write(layerId, 'disk', 5, start, authority))
        for (const file of ['disk', 'memory'] as const) await copyRest(host, otherHost, layerId, file)
        await otherHost.layers.completeCopy(layerId, authority)
        await otherHost.layers.completeCopy(layerId, authority)
        const { phase, facts, origin } = await otherHost.layers.look(layerId)
        strictEqual(phase, 'present')
        strictEqual(facts?.memory?.digest, manifest.facts.memory?.digest)
        deepStrictEqual(origin, manifest.origin)
        await otherHost.layers.verify(layerId, neverAborted)
        await otherHost.machines.create(fork, authority)
        await otherHost.machines.startFromMemory(fork.environmentId, layerId, authority)
        strictEqual((await otherHost.machines.look(fork.environmentId)).power, 'running')
      } finally {
        await otherHost.machines.remove(fork.environmentId, newest)
        await otherHost.layers.remove(layerId, newest)
      }
    }),
  ],
  [
    'a copy with other bytes is refused and removed, and one over a layer that is not there is not begun',
    onMachine(async ({ setting: { host, otherHost }, freeze }) => {
      const lower = await freeze(false)
      const manifest = manifestOf(await host.layers.look(lower))
      try {
        await otherHost.layers.beginCopy(manifest, authority)
        const bytes = Buffer.alloc(manifest.facts.disk.bytes, 7)
        await otherHost.layers.write(lower, 'disk', 0, bytes, authority)
        await refused('layer_damaged', () => otherHost.layers.completeCopy(lower, authority))
        strictEqual((await otherHost.layers.look(lower)).phase, 'absent')
        const upper = manifestOf(await host.layers.look(await freeze(false)))
        await refused('host_refused', () => otherHost.layers.beginCopy(upper, authority))
      } finally {
        await otherHost.layers.remove(lower, newest)
      }
    }),
  ],
]

function authorityOf(epoch: number, generation: number): Authority {
  return { epoch, generation, assertHeld: () => Promise.resolve() }
}

const authority = authorityOf(1, 2)
/** An epoch newer than any that a promise uses. */
const newest = authorityOf(99, 99)
const neverAborted = new AbortController().signal

interface OnMachine {
  setting: LayerContractSetting
  given: MachineSpecification
  /** Freezes the machine; resolves with the layer's id. */
  freeze(memory: boolean, layerId?: string, by?: Authority): Promise<string>
  /** Creates another machine, which is removed at the end. */
  forked(specification: MachineSpecification): Promise<void>
}

function onMachine(
  holds: (given: OnMachine) => Promise<void>,
): (setting: LayerContractSetting) => Promise<void> {
  return async (setting) => {
    const { host } = setting
    const given = setting.specification()
    const { environmentId } = given
    const layers: string[] = []
    const machines = [environmentId]
    try {
      await host.machines.create(given, authority)
      await holds({
        setting,
        given,
        freeze: async (memory, layerId = newId(), by = authority) => {
          layers.unshift(layerId)
          await host.layers.freeze({ layerId, environmentId, memory }, by)
          return layerId
        },
        forked: async (specification) => {
          machines.push(specification.environmentId)
          await host.machines.create(specification, authority)
        },
      })
    } finally {
      for (const id of machines) await host.machines.remove(id, newest)
      for (const id of layers) await host.layers.remove(id, newest)
    }
    const left = (await host.layers.inventory()).filter(({ layerId }) => layers.includes(layerId))
    deepStrictEqual(left, [])
  }
}

function manifestOf({ layerId, facts, origin, machine }: Awaited<ReturnType<Host['layers']['look']>>) {
  ok(facts !== null && origin !== null && machine !== null)
  return { layerId, facts, origin, machine } satisfies LayerManifest
}

async function usersOf(host: Host, layerId: string): Promise<string[] | undefined> {
  const entry = (await host.layers.inventory()).find((listed) => listed.layerId === layerId)
  return entry?.usedBy.toSorted()
}

async function refused(code: FailureCode, work: () => Promise<unknown>): Promise<void> {
  await rejects(work, (thrown) => {
    ok(thrown instanceof HostError, String(thrown))
    strictEqual(thrown.code, code, thrown.message)
    return true
  })
}

async function copyRest(from: Host, to: Host, layerId: string, file: LayerFileName): Promise<void> {
  const partBytes = 1024 ** 2
  for (;;) {
    const offset = await to.layers.receivedBytes(layerId, file)
    const part = await from.layers.read(layerId, file, offset, partBytes)
    if (part.length === 0) return
    await to.layers.write(layerId, file, offset, part, authority)
  }
}
