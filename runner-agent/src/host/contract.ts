import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import type { Host, MachineSpecification } from './host.ts'

export interface HostContractSetting {
  host: Host
  /** The same host, driven for another runner. */
  foreignHost: Host
  /** A machine that the host can make; each promise uses one of its own. */
  specification(): MachineSpecification
}

/** What every host promises, each as a test's name and body. */
export const hostContract: readonly (readonly [
  promise: string,
  holds: (setting: HostContractSetting) => Promise<void>,
])[] = [
  [
    'a machine nobody made is absent',
    async ({ host, specification }) => {
      const { environmentId } = specification()
      const { power, ownership, record } = await host.look(environmentId)
      deepStrictEqual({ power, ownership, record }, { power: 'absent', ownership: null, record: null })
    },
  ],
  [
    'a made machine is shut off, says whose it is, and has an address and an identity of its own',
    withMachine(async ({ host }, given) => {
      const machine = await host.look(given.environmentId)
      strictEqual(machine.power, 'shut_off')
      const { owner, environmentId, epoch, generation } = given
      const { createdAt, ...rest } = machine.ownership ?? { createdAt: '' }
      deepStrictEqual(rest, { owner, environmentId, epoch, generation })
      ok(Date.parse(createdAt) > 0)
      ok((machine.address?.port ?? 0) > 0 && machine.address?.hostKey.startsWith('ssh-ed25519 '))
      strictEqual(machine.identity?.hostname, given.hostname)
    }),
  ],
  [
    'making, starting, ending and removing may each be done twice',
    withMachine(async ({ host }, given) => {
      const { environmentId } = given
      const before = await host.look(environmentId)
      await host.create(given)
      deepStrictEqual(await host.look(environmentId), before)
      await host.start(environmentId)
      await host.start(environmentId)
      strictEqual((await host.look(environmentId)).power, 'running')
      await host.powerOff(environmentId)
      await host.powerOff(environmentId)
      strictEqual((await host.look(environmentId)).power, 'shut_off')
      await host.remove(environmentId)
      await host.remove(environmentId)
      strictEqual((await host.look(environmentId)).power, 'absent')
    }),
  ],
  [
    'identity and host key stay the same over a restart',
    withMachine(async ({ host }, { environmentId }) => {
      const before = await host.look(environmentId)
      await host.start(environmentId)
      await host.powerOff(environmentId)
      await host.start(environmentId)
      const after = await host.look(environmentId)
      deepStrictEqual(after.identity, before.identity)
      strictEqual(after.address?.hostKey, before.address?.hostKey)
    }),
  ],
  [
    'a record is kept beside the machine, replaced whole, and goes with it',
    withMachine(async ({ host }, { environmentId }) => {
      await host.keepRecord(environmentId, 'first, a long one')
      await host.keepRecord(environmentId, 'second ü')
      strictEqual((await host.look(environmentId)).record, 'second ü')
      await host.remove(environmentId)
      strictEqual((await host.look(environmentId)).record, null)
    }),
  ],
  [
    'newer fencing numbers stand in the machine, shut off or running',
    withMachine(async ({ host }, { environmentId }) => {
      await host.stamp(environmentId, { epoch: 7, generation: 9 })
      await host.start(environmentId)
      await host.stamp(environmentId, { epoch: 8, generation: 10 })
      const { ownership } = await host.look(environmentId)
      deepStrictEqual([ownership?.epoch, ownership?.generation], [8, 10])
      await host.powerOff(environmentId)
      strictEqual((await host.look(environmentId)).ownership?.generation, 10)
    }),
  ],
  [
    'another runner’s machine is seen as such and never touched',
    withMachine(async ({ host, foreignHost }, given) => {
      const { environmentId } = given
      await host.start(environmentId)
      const before = await host.look(environmentId)
      for (const touch of [
        () => foreignHost.create({ ...given, owner: 'another' }),
        () => foreignHost.powerOff(environmentId),
        () => foreignHost.stamp(environmentId, { epoch: 99, generation: 99 }),
        () => foreignHost.remove(environmentId),
      ]) {
        await rejects(touch, /not this runner/)
      }
      deepStrictEqual(await host.look(environmentId), before)
    }),
  ],
  [
    'the inventory lists the machine until it is removed',
    withMachine(async ({ host }, { environmentId, owner }) => {
      const find = async () => (await host.inventory()).find((entry) => entry.environmentId === environmentId)
      strictEqual((await find())?.ownership?.owner, owner)
      await host.remove(environmentId)
      strictEqual(await find(), undefined)
    }),
  ],
  [
    'an image that is not there is refused by name, and leaves nothing',
    async ({ host, specification }) => {
      const given = { ...specification(), image: 'no-such-image' }
      await rejects(() => host.create(given), /no-such-image/)
      strictEqual((await host.look(given.environmentId)).ownership, null)
      await host.remove(given.environmentId)
    },
  ],
]

function withMachine(
  holds: (setting: HostContractSetting, given: MachineSpecification) => Promise<void>,
): (setting: HostContractSetting) => Promise<void> {
  return async (setting) => {
    const given = setting.specification()
    try {
      await setting.host.create(given)
      await holds(setting, given)
    } finally {
      await setting.host.remove(given.environmentId)
    }
  }
}
