import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { newId } from '@hearth/foundation'
import { type Authority, StaleAuthority } from './authority.ts'
import type { Host } from './host.ts'
import { HostError } from './host-error.ts'
import type { MachineSpecification } from './machine.ts'

export interface VolumeContractSetting {
  host: Host
  /** Id of the runner for which `host` is driven. */
  owner: string
  /** The same host, driven for another runner. */
  foreignHost: Host
  /** Specification of a machine that the host can create; each promise uses its own machines. */
  specification(): MachineSpecification
}

type VolumePromise = readonly [promise: string, holds: (setting: VolumeContractSetting) => Promise<void>]

const bytes = 64 * 1024 ** 2

/** What every host promises of volumes: the synthetic host and libvirt are held to the same. */
export const volumeContract: readonly VolumePromise[] = [
  [
    'a volume is made once, found, emptied under a number, grown, and removed; each may be done twice',
    onVolumes(async ({ host, owner }, { volume }) => {
      const volumeId = await volume()
      await host.volumes.create({ volumeId, bytes, sourceId: null }, authority)
      const made = await host.volumes.look(volumeId)
      deepStrictEqual(
        [
          made.phase,
          made.ownership?.owner,
          made.bytes,
          made.contentNumber,
          made.environmentId,
          made.isPlugged,
        ],
        ['present', owner, bytes, 0, null, false],
      )
      for (const _ of [1, 2]) await host.volumes.grow(volumeId, 2 * bytes, authority)
      await host.volumes.grow(volumeId, bytes, authority)
      for (const _ of [1, 2]) await host.volumes.clear(volumeId, 3, authority)
      const { bytes: after, contentNumber } = await host.volumes.look(volumeId)
      deepStrictEqual([after, contentNumber], [2 * bytes, 3])
      ok((await host.volumes.inventory()).some((entry) => entry.volumeId === volumeId))
      for (const _ of [1, 2]) await host.volumes.remove(volumeId, authority)
      strictEqual((await host.volumes.look(volumeId)).phase, 'absent')
    }),
  ],
  [
    'a volume is in the machine that it is kept for whenever that runs, put in before or after its start, and in no other',
    onVolumes(async ({ host }, { volume, machine }) => {
      const [before, after] = [await volume(), await volume()]
      const [environmentId, other] = [await machine(), await machine()]
      const plugged = async () =>
        Promise.all([before, after].map(async (id) => (await host.volumes.look(id)).isPlugged))
      await host.volumes.attach(before, environmentId, authority)
      deepStrictEqual(await plugged(), [false, false])
      await host.machines.start(environmentId, authority)
      for (const _ of [1, 2]) await host.volumes.attach(after, environmentId, authority)
      deepStrictEqual(await plugged(), [true, true])
      await refused(() => host.volumes.attach(before, other, authority))
      await host.machines.powerOff(environmentId, authority)
      deepStrictEqual(await plugged(), [false, false])
      await host.machines.start(environmentId, authority)
      deepStrictEqual(await plugged(), [true, true])
      for (const _ of [1, 2]) await host.volumes.detach(before, authority)
      deepStrictEqual(await plugged(), [false, true])
      await host.volumes.grow(after, 2 * bytes, authority)
      strictEqual((await host.volumes.look(after)).bytes, 2 * bytes)
      await host.machines.powerOff(environmentId, authority)
      await host.machines.start(environmentId, authority)
      deepStrictEqual(await plugged(), [false, true])
      await host.volumes.attach(before, other, authority)
      strictEqual((await host.volumes.look(before)).environmentId, other)
    }),
  ],
  [
    'a volume stays when its machine is removed, and can then be another’s',
    onVolumes(async ({ host }, { volume, machine }) => {
      const volumeId = await volume()
      const [first, second] = [await machine(), await machine()]
      await host.volumes.attach(volumeId, first, authority)
      await host.machines.start(first, authority)
      await host.machines.remove(first, authority)
      const { phase, environmentId, isPlugged } = await host.volumes.look(volumeId)
      deepStrictEqual([phase, environmentId, isPlugged], ['present', first, false])
      await refused(() => host.volumes.remove(volumeId, authority))
      await host.volumes.detach(volumeId, authority)
      await host.volumes.attach(volumeId, second, authority)
      await host.machines.start(second, authority)
      strictEqual((await host.volumes.look(volumeId)).isPlugged, true)
    }),
  ],
  [
    'a suspended machine keeps its volume, and goes on with it',
    onVolumes(async ({ host }, { volume, machine }) => {
      const volumeId = await volume()
      const environmentId = await machine()
      await host.machines.start(environmentId, authority)
      await host.volumes.attach(volumeId, environmentId, authority)
      await host.machines.suspend(environmentId, authority)
      strictEqual((await host.volumes.look(volumeId)).isPlugged, true)
      await refused(() => host.volumes.detach(volumeId, authority))
      await refused(() => host.volumes.clear(volumeId, 1, authority))
      await host.machines.resumeSuspended(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).power, 'running')
      strictEqual((await host.volumes.look(volumeId)).isPlugged, true)
      await host.volumes.detach(volumeId, authority)
      strictEqual((await host.volumes.look(volumeId)).isPlugged, false)
    }),
  ],
  [
    'a layer of a machine with a volume has neither the volume nor a memory that knows it, and both go on',
    onVolumes(async ({ host }, { volume, machine }) => {
      const volumeId = await volume()
      const environmentId = await machine()
      await host.machines.start(environmentId, authority)
      await host.volumes.attach(volumeId, environmentId, authority)
      const layerId = newId()
      try {
        await host.layers.freeze({ layerId, environmentId, memory: true }, authority)
        const { facts } = await host.layers.look(layerId)
        strictEqual(facts?.memory, null)
        ok(/volume/.test(facts?.memoryFault ?? ''), facts?.memoryFault ?? 'no fault')
        const fork = await machine({ layerId })
        await host.machines.start(fork, authority)
        const { environmentId: holder, isPlugged } = await host.volumes.look(volumeId)
        deepStrictEqual([holder, isPlugged], [environmentId, true])
        await host.machines.remove(fork, newest)
      } finally {
        await host.machines.remove(environmentId, newest)
        await host.layers.remove(layerId, newest)
      }
    }),
  ],
  [
    'a copy is made of a volume that no machine has, at its size or larger, and of no other',
    onVolumes(async ({ host }, { volume, machine }) => {
      const sourceId = await volume()
      const copyId = await volume({ bytes: 2 * bytes, sourceId })
      strictEqual((await host.volumes.look(copyId)).bytes, 2 * bytes)
      await host.volumes.attach(sourceId, await machine(), authority)
      await refused(() => volume({ bytes, sourceId }))
      await refused(() => volume({ bytes, sourceId: newId() }), 'volume_missing')
    }),
  ],
  [
    'another runner’s volume is seen as such and never touched, nor is one that was worked on under a newer lease or order',
    onVolumes(async ({ host, foreignHost }, { volume, machine }) => {
      const volumeId = await volume()
      const environmentId = await machine()
      const touches = ({ volumes }: Host, by: Authority) => [
        () => volumes.create({ volumeId, bytes, sourceId: null }, by),
        () => volumes.attach(volumeId, environmentId, by),
        () => volumes.detach(volumeId, by),
        () => volumes.grow(volumeId, 2 * bytes, by),
        () => volumes.clear(volumeId, 9, by),
        () => volumes.remove(volumeId, by),
      ]
      await host.volumes.attach(volumeId, environmentId, authorityOf(3, 5))
      const before = await host.volumes.look(volumeId)
      for (const touch of touches(foreignHost, newest)) await rejects(touch, /not this runner/)
      for (const older of [authorityOf(2, 6), authorityOf(3, 4)])
        for (const touch of touches(host, older)) await rejects(touch, StaleAuthority)
      const gone: Authority = { ...newest, assertHeld: () => Promise.reject(new Error('gone')) }
      for (const touch of touches(host, gone)) await rejects(touch, /gone/)
      deepStrictEqual(await host.volumes.look(volumeId), before)
    }),
  ],
]

interface OnVolumes {
  /** Makes a volume, which is removed at the end. */
  volume(given?: { bytes: number; sourceId: string }): Promise<string>
  /** Makes a machine that is off, and is removed at the end. */
  machine(source?: MachineSpecification['source']): Promise<string>
}

function onVolumes(
  holds: (setting: VolumeContractSetting, made: OnVolumes) => Promise<void>,
): (setting: VolumeContractSetting) => Promise<void> {
  return async (setting) => {
    const { host } = setting
    const volumes: string[] = []
    const machines: string[] = []
    try {
      await holds(setting, {
        volume: async (given) => {
          const volumeId = newId()
          volumes.push(volumeId)
          await host.volumes.create({ volumeId, bytes, sourceId: null, ...given }, authority)
          return volumeId
        },
        machine: async (source = null) => {
          const specification = { ...setting.specification(), source }
          machines.push(specification.environmentId)
          await host.machines.create(specification, authority)
          return specification.environmentId
        },
      })
    } finally {
      for (const id of machines) await host.machines.remove(id, newest)
      for (const id of volumes) {
        if ((await host.volumes.look(id)).environmentId !== null) await host.volumes.detach(id, newest)
        await host.volumes.remove(id, newest)
      }
    }
    const left = (await host.volumes.inventory()).filter(({ volumeId }) => volumes.includes(volumeId))
    deepStrictEqual(left, [])
  }
}

async function refused(work: () => Promise<unknown>, code = 'host_refused'): Promise<void> {
  await rejects(work, (thrown) => {
    ok(thrown instanceof HostError, String(thrown))
    strictEqual(thrown.code, code, thrown.message)
    return true
  })
}

function authorityOf(epoch: number, generation: number): Authority {
  return { epoch, generation, assertHeld: () => Promise.resolve() }
}

const authority = authorityOf(1, 2)
/** An epoch newer than any that a promise uses. */
const newest = authorityOf(99, 99)
