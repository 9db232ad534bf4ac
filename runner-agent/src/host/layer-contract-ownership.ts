import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { newId } from '@hearth/foundation'
import { type Authority, StaleAuthority } from './authority.ts'
import {
  authority,
  authorityOf,
  copyRest,
  type LayerPromise,
  manifestOf,
  neverAborted,
  newest,
  onMachine,
  refused,
} from './layer-contract-setting.ts'

/** What every host promises of layers of other runners, and of copies from other hosts. */
export const ownershipPromises: readonly LayerPromise[] = [
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
