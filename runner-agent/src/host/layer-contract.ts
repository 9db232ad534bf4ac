import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { newId } from '@hearth/foundation'
import { ownershipPromises } from './layer-contract-ownership.ts'
import {
  authority,
  type LayerPromise,
  neverAborted,
  newest,
  onMachine,
  refused,
  usersOf,
} from './layer-contract-setting.ts'

export type { LayerContractSetting } from './layer-contract-setting.ts'

/** What every host promises of layers: each promise is the name and the body of a test. */
export const layerContract: readonly LayerPromise[] = [
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
    'a suspended machine is not frozen, and no layer is begun',
    onMachine(async ({ setting: { host }, given: { environmentId } }) => {
      await host.machines.start(environmentId, authority)
      await host.machines.suspend(environmentId, authority)
      const layerId = newId()
      const request = { layerId, environmentId, memory: false }
      await rejects(() => host.layers.freeze(request, authority), /resume it first/)
      strictEqual((await host.layers.look(layerId)).phase, 'absent')
      strictEqual((await host.machines.look(environmentId)).power, 'suspended')
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
  ...ownershipPromises,
]
