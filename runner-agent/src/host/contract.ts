import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert'
import { setTimeout as delay } from 'node:timers/promises'
import { type Authority, StaleAuthority } from './authority.ts'
import type { Host } from './host.ts'
import { HostError } from './host-error.ts'
import type { MachineSpecification } from './machine.ts'

export interface HostContractSetting {
  host: Host
  /** Id of the runner for which `host` is driven. */
  owner: string
  /** The same host, driven for another runner. */
  foreignHost: Host
  /** Specification of a machine that the host can create; each promise uses its own machine. */
  specification(): MachineSpecification
  /** Pauses the guest, as somebody else on the host might. */
  pause(environmentId: string): Promise<unknown>
  /** Connects somebody to the SSH server of a machine that was started; resolves with how to end that. */
  connect(environmentId: string): Promise<() => Promise<unknown>>
}

/** The contract of every host: each promise is the name and the body of a test. */
export const hostContract: readonly (readonly [
  promise: string,
  holds: (setting: HostContractSetting) => Promise<void>,
])[] = [
  [
    'a machine nobody made is absent',
    async ({ host, specification }) => {
      const { environmentId } = specification()
      const { power, ownership, record } = await host.machines.look(environmentId)
      deepStrictEqual({ power, ownership, record }, { power: 'absent', ownership: null, record: null })
    },
  ],
  [
    'a made machine is shut off, says whose it is, and has an address and an identity of its own',
    withMachine(async ({ host, owner }, { environmentId, hostname }) => {
      const machine = await host.machines.look(environmentId)
      strictEqual(machine.power, 'shut_off')
      const { createdAt, ...rest } = machine.ownership ?? { createdAt: '' }
      deepStrictEqual(rest, { owner, environmentId, epoch: 1, generation: 2 })
      ok(Date.parse(createdAt) > 0)
      ok((machine.address?.port ?? 0) > 0 && machine.address?.hostKey.startsWith('ssh-ed25519 '))
      strictEqual(machine.identity?.hostname, hostname)
    }),
  ],
  [
    'making, starting, ending and removing may each be done twice',
    withMachine(async ({ host }, given) => {
      const { environmentId } = given
      const before = await host.machines.look(environmentId)
      await host.machines.create(given, authority)
      deepStrictEqual(await host.machines.look(environmentId), before)
      await host.machines.start(environmentId, authority)
      await host.machines.start(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).power, 'running')
      await host.machines.powerOff(environmentId, authority)
      await host.machines.powerOff(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).power, 'shut_off')
      await host.machines.remove(environmentId, authority)
      await host.machines.remove(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).power, 'absent')
    }),
  ],
  [
    'identity and host key stay the same over a restart',
    withMachine(async ({ host }, { environmentId }) => {
      const before = await host.machines.look(environmentId)
      await host.machines.start(environmentId, authority)
      await host.machines.powerOff(environmentId, authority)
      await host.machines.start(environmentId, authority)
      const after = await host.machines.look(environmentId)
      deepStrictEqual(after.identity, before.identity)
      strictEqual(after.address?.hostKey, before.address?.hostKey)
    }),
  ],
  [
    'a machine that is renamed has its new host name at once, and in the files of its identity, also after a restart',
    withMachine(async ({ host }, { environmentId }) => {
      const before = await host.machines.look(environmentId)
      await host.machines.start(environmentId, authority)
      await host.machines.rename(environmentId, 'review-12', authority)
      await host.machines.rename(environmentId, 'review-12', authority)
      await host.machines.powerOff(environmentId, authority)
      await host.machines.start(environmentId, authority)
      const after = await host.machines.look(environmentId)
      deepStrictEqual(after.identity, { ...before.identity, hostname: 'review-12' })
      deepStrictEqual(after.address, before.address)
      const files = await host.machines.givenFiles(environmentId)
      const text = files.find(({ path }) => path === '/etc/hostname')?.content.toString()
      strictEqual(text, 'review-12\n')
    }),
  ],
  [
    'a record is kept beside the machine, replaced whole, and goes with it',
    withMachine(async ({ host }, { environmentId }) => {
      await host.machines.keepRecord(environmentId, 'first, a long one', authority)
      await host.machines.keepRecord(environmentId, 'second ü', authority)
      strictEqual((await host.machines.look(environmentId)).record, 'second ü')
      await host.machines.remove(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).record, null)
    }),
  ],
  [
    'a machine that somebody pauses is paused with its reason, does not count as running, and goes on when it is resumed',
    withMachine(async ({ host, pause }, { environmentId }) => {
      const isListed = async () =>
        (await host.machines.paused()).some((paused) => paused.environmentId === environmentId)
      await host.machines.start(environmentId, authority)
      strictEqual(await isListed(), false)
      await pause(environmentId)
      const { power, pauseReason } = await host.machines.look(environmentId)
      deepStrictEqual([power, pauseReason, await isListed()], ['paused', 'suspended', true])
      await host.machines.resume(environmentId, authority)
      const going = await host.machines.look(environmentId)
      deepStrictEqual([going.power, going.pauseReason, await isListed()], ['running', null, false])
      await pause(environmentId)
      await host.machines.powerOff(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).power, 'shut_off')
      strictEqual(await isListed(), false)
    }),
  ],
  [
    'a connection to a machine’s SSH server is seen while it is open, or is known not to be seen',
    withMachine(async ({ host, connect }, { environmentId }) => {
      const isConnected = async () => (await host.machines.connected([environmentId])).get(environmentId)
      await host.machines.start(environmentId, authority)
      if ((await isConnected()) === null) return
      strictEqual(await isConnected(), false)
      const end = await connect(environmentId)
      strictEqual(await isConnected(), true)
      await end()
      for (let looks = 0; looks < 100 && (await isConnected()) === true; looks += 1) await delay(50)
      strictEqual(await isConnected(), false)
      strictEqual((await host.machines.connected(['0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'])).size, 0)
    }),
  ],
  [
    'a port of a machine that runs is reached, where the network lets it; of one that is off none is',
    withMachine(async ({ host }, { environmentId }) => {
      strictEqual(await host.machines.reach(environmentId, 8_000), null)
      await host.machines.start(environmentId, authority)
      const there = await host.machines.reach(environmentId, 8_000)
      if (there !== null) ok(there.host !== '' && there.port > 0 && there.port < 65_536)
      await host.machines.powerOff(environmentId, authority)
      strictEqual(await host.machines.reach(environmentId, 8_000), null)
      strictEqual(await host.machines.reach('0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11', 8_000), null)
    }),
  ],
  [
    'a suspended machine is off with its memory kept, and goes on from it; both may be done twice',
    withMachine(async ({ host, owner }, { environmentId }) => {
      const powerOf = async () => (await host.machines.look(environmentId)).power
      await rejects(() => host.machines.suspend(environmentId, authority), /shut_off/)
      await host.machines.start(environmentId, authority)
      await host.machines.suspend(environmentId, authority)
      await host.machines.suspend(environmentId, authority)
      const { power, endReason, ownership } = await host.machines.look(environmentId)
      deepStrictEqual([power, endReason, ownership?.owner], ['suspended', null, owner])
      await host.machines.stamp(environmentId, authorityOf(1, 3))
      await host.machines.resumeSuspended(environmentId, newest)
      await host.machines.resumeSuspended(environmentId, newest)
      strictEqual(await powerOf(), 'running')
      await host.machines.powerOff(environmentId, newest)
      strictEqual(await powerOf(), 'shut_off')
    }),
  ],
  [
    'a suspended machine that is powered off, or boots, has no memory to go on from',
    withMachine(async ({ host }, { environmentId }) => {
      await host.machines.start(environmentId, authority)
      await host.machines.suspend(environmentId, authority)
      await host.machines.powerOff(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).power, 'shut_off')
      await rejects(() => host.machines.resumeSuspended(environmentId, authority), isMemoryUnusable)
      await host.machines.start(environmentId, authority)
      await host.machines.suspend(environmentId, authority)
      await host.machines.start(environmentId, authority)
      await host.machines.powerOff(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).power, 'shut_off')
    }),
  ],
  [
    'newer fencing numbers stand in the machine, shut off or running',
    withMachine(async ({ host }, { environmentId }) => {
      await host.machines.stamp(environmentId, authorityOf(7, 9))
      await host.machines.start(environmentId, newest)
      await host.machines.stamp(environmentId, authorityOf(8, 10))
      const { ownership } = await host.machines.look(environmentId)
      deepStrictEqual([ownership?.epoch, ownership?.generation], [8, 10])
      await host.machines.powerOff(environmentId, newest)
      strictEqual((await host.machines.look(environmentId)).ownership?.generation, 10)
    }),
  ],
  [
    'another runner’s machine is seen as such and never touched',
    withMachine(async ({ host, foreignHost }, given) => {
      const { environmentId } = given
      await host.machines.start(environmentId, authority)
      const before = await host.machines.look(environmentId)
      for (const touch of [
        () => foreignHost.machines.create(given, newest),
        () => foreignHost.machines.start(environmentId, newest),
        () => foreignHost.machines.shutDown(environmentId, newest),
        () => foreignHost.machines.suspend(environmentId, newest),
        () => foreignHost.machines.resumeSuspended(environmentId, newest),
        () => foreignHost.machines.powerOff(environmentId, newest),
        () => foreignHost.machines.stamp(environmentId, newest),
        () => foreignHost.machines.keepRecord(environmentId, 'theirs', newest),
        () => foreignHost.machines.remove(environmentId, newest),
      ]) {
        await rejects(touch, /not this runner/)
      }
      deepStrictEqual(await host.machines.look(environmentId), before)
    }),
  ],
  [
    'a machine worked on under a newer lease or order is left alone by an older one',
    withMachine(async ({ host }, given) => {
      const { environmentId } = given
      await host.machines.stamp(environmentId, authorityOf(3, 5))
      await host.machines.start(environmentId, authorityOf(3, 5))
      const before = await host.machines.look(environmentId)
      for (const older of [authorityOf(2, 6), authorityOf(3, 4)]) {
        for (const touch of [
          () => host.machines.create(given, older),
          () => host.machines.start(environmentId, older),
          () => host.machines.shutDown(environmentId, older),
          () => host.machines.suspend(environmentId, older),
          () => host.machines.resumeSuspended(environmentId, older),
          () => host.machines.powerOff(environmentId, older),
          () => host.machines.stamp(environmentId, older),
          () => host.machines.keepRecord(environmentId, 'older', older),
          () => host.machines.remove(environmentId, older),
        ]) {
          await rejects(touch, StaleAuthority)
        }
      }
      deepStrictEqual(await host.machines.look(environmentId), before)
    }),
  ],
  [
    'nothing is begun once the authority is gone',
    withMachine(async ({ host, specification }, { environmentId }) => {
      const before = await host.machines.look(environmentId)
      const gone: Authority = { ...newest, assertHeld: () => Promise.reject(new Error('gone')) }
      const other = specification()
      for (const touch of [
        () => host.machines.create(other, gone),
        () => host.machines.start(environmentId, gone),
        () => host.machines.stamp(environmentId, gone),
        () => host.machines.keepRecord(environmentId, 'late', gone),
        () => host.machines.remove(environmentId, gone),
      ]) {
        await rejects(touch, /gone/)
      }
      deepStrictEqual(await host.machines.look(environmentId), before)
      strictEqual((await host.machines.look(other.environmentId)).ownership, null)
    }),
  ],
  [
    'a record kept before there is a machine says whose it is, and goes like one',
    async ({ host, owner, specification }) => {
      const { environmentId } = specification()
      await host.machines.keepRecord(environmentId, 'it failed', authority)
      const { power, ownership, record } = await host.machines.look(environmentId)
      deepStrictEqual([power, ownership?.owner, record], ['absent', owner, 'it failed'])
      const listed = await host.machines.inventory()
      strictEqual(listed.find((entry) => entry.environmentId === environmentId)?.ownership?.owner, owner)
      await host.machines.remove(environmentId, authority)
      strictEqual((await host.machines.look(environmentId)).ownership, null)
    },
  ],
  [
    'the inventory lists the machine until it is removed',
    withMachine(async ({ host, owner }, { environmentId }) => {
      const find = async () =>
        (await host.machines.inventory()).find((entry) => entry.environmentId === environmentId)
      strictEqual((await find())?.ownership?.owner, owner)
      await host.machines.remove(environmentId, authority)
      strictEqual(await find(), undefined)
    }),
  ],
  [
    'an image that is not there is refused by name, and leaves nothing',
    async ({ host, specification }) => {
      const given = { ...specification(), image: 'no-such-image' }
      await rejects(() => host.machines.create(given, authority), /no-such-image/)
      strictEqual((await host.machines.look(given.environmentId)).ownership, null)
      await host.machines.remove(given.environmentId, authority)
    },
  ],
]

function authorityOf(epoch: number, generation: number): Authority {
  return { epoch, generation, assertHeld: () => Promise.resolve() }
}

const authority = authorityOf(1, 2)
const isMemoryUnusable = (thrown: unknown) => thrown instanceof HostError && thrown.code === 'memory_unusable'
/** An epoch newer than any that a promise uses. */
const newest = authorityOf(99, 99)

function withMachine(
  holds: (setting: HostContractSetting, given: MachineSpecification) => Promise<void>,
): (setting: HostContractSetting) => Promise<void> {
  return async (setting) => {
    const given = setting.specification()
    try {
      await setting.host.machines.create(given, authority)
      await holds(setting, given)
    } finally {
      await setting.host.machines.remove(given.environmentId, newest)
    }
  }
}
