import { type Authority, assertMayTouch, ownershipOf } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { connectionsByPort } from '../connections.ts'
import { HostError } from '../host-error.ts'
import type { InventoryEntry, Machine, MachineSpecification, Ownership, PausedMachine } from '../machine.ts'
import type { Machines } from '../machines.ts'
import type { SeedFile } from '../seed-file.ts'
import type { Creation } from './creation.ts'
import type { DiskReplacement } from './disk-replacement.ts'
import type { Domains } from './domains.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { MachineSight } from './machine-sight.ts'
import type { MemoryStart } from './memory-start.ts'
import type { GuestNetworks } from './network/guest-networks.ts'
import type { Renaming } from './renaming.ts'
import { seedFiles } from './seed.ts'
import type { Suspension } from './suspension.ts'
import { watchPower } from './watch.ts'

export interface LibvirtMachinesOptions {
  runner: CommandRunner
  owner: string
  clock: { now(): Date }
  domains: Domains
  sight: MachineSight
  creation: Creation
  lifecycle: Lifecycle
  memoryStart: MemoryStart
  suspension: Suspension
  diskReplacement: DiskReplacement
  renaming: Renaming
  networks: Pick<GuestNetworks, 'reach'>
}

/** Machines as libvirt domains with QEMU. */
export class LibvirtMachines implements Machines {
  private readonly domains: Domains
  private readonly sight: MachineSight
  private readonly creation: Creation
  private readonly lifecycle: Lifecycle

  constructor(private readonly options: LibvirtMachinesOptions) {
    const { domains, sight, creation, lifecycle } = options
    this.domains = domains
    this.sight = sight
    this.creation = creation
    this.lifecycle = lifecycle
  }

  inventory(): Promise<InventoryEntry[]> {
    return this.sight.inventory()
  }

  look(environmentId: string): Promise<Machine> {
    return this.sight.look(environmentId)
  }

  create(specification: MachineSpecification, authority: Authority): Promise<void> {
    return this.creation.create(specification, authority)
  }

  start(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.start(environmentId, authority)
  }

  startFromMemory(environmentId: string, layerId: string, authority: Authority): Promise<void> {
    return this.options.memoryStart.start(environmentId, layerId, authority)
  }

  replaceDisk(environmentId: string, layerId: string, authority: Authority): Promise<void> {
    return this.options.diskReplacement.replace(environmentId, layerId, authority)
  }

  async givenFiles(environmentId: string): Promise<SeedFile[]> {
    const seed = await this.sight.folder(environmentId).readSeed()
    if (seed !== null) return seedFiles(seed)
    throw new HostError(
      'host_refused',
      `the machine ${environmentId} is not there, or an earlier agent made it`,
    )
  }

  rename(environmentId: string, hostname: string, authority: Authority): Promise<void> {
    return this.options.renaming.rename(environmentId, hostname, authority)
  }

  shutDown(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.shutDown(environmentId, authority)
  }

  resume(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.resume(environmentId, authority)
  }

  suspend(environmentId: string, authority: Authority): Promise<void> {
    return this.options.suspension.suspend(environmentId, authority)
  }

  resumeSuspended(environmentId: string, authority: Authority): Promise<void> {
    return this.options.suspension.resume(environmentId, authority)
  }

  powerOff(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.powerOff(environmentId, authority)
  }

  remove(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.remove(environmentId, authority)
  }

  async stamp(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.sight.lookToTouch(environmentId, authority)
    if (machine.ownership === null) return
    const { epoch, generation } = authority
    const ownership: Ownership = { ...machine.ownership, epoch, generation }
    if (machine.power !== 'absent') {
      const live = machine.power === 'running' || machine.power === 'paused'
      const flags = live ? ['--live', '--config'] : ['--config']
      await authority.assertHeld()
      await this.domains.setOwnership(environmentId, ownership, flags)
    }
    const folder = this.sight.folder(environmentId)
    const file = await folder.readMachine()
    await authority.assertHeld()
    if (file !== null) await folder.writeMachine({ ...file, ownership })
  }

  async keepRecord(environmentId: string, text: string, authority: Authority): Promise<void> {
    const folder = this.sight.folder(environmentId)
    // Only the folder is checked: a record is written often, and asking libvirt is expensive.
    const file = await folder.readMachine()
    const { owner, clock } = this.options
    if (file !== null) {
      assertMayTouch({ environmentId, power: 'absent', ownership: file.ownership }, owner, authority)
    }
    await authority.assertHeld()
    if (file === null) {
      await folder.open({ ownership: ownershipOf(owner, environmentId, authority, clock.now()), given: null })
    }
    await folder.writeRecord(text)
  }

  async readConsole(environmentId: string): Promise<string> {
    const { console } = this.sight.folder(environmentId)
    const result = await this.options.runner.run(['tail', '-c', '8192', '--', console])
    return result.stdout
  }

  async connected(
    environmentIds: readonly string[],
    own: ReadonlyMap<string, number> = new Map(),
  ): Promise<Map<string, boolean | null>> {
    const { runner } = this.options
    const result = await runner.run(['cat', '/proc/net/tcp', '/proc/net/tcp6'])
    // A host without IPv6 has no second file.
    if (result.stdout === '') throw new HostError('host_refused', 'the host does not list its connections')
    const connections = connectionsByPort(result.stdout)
    const seen = await Promise.all(
      environmentIds.map(async (id) => ({ id, given: (await this.sight.folder(id).readMachine())?.given })),
    )
    return new Map(
      seen.flatMap(({ id, given }) => {
        if (given == null) return []
        // A guest with an address of its own is not reached through a port of the host.
        const others = (port: number) => (connections.get(port) ?? 0) - (own.get(id) ?? 0)
        const isUsed = given.address === null ? null : others(given.address.port) > 0
        return [[id, isUsed] as const]
      }),
    )
  }

  async reach(environmentId: string, port: number): Promise<{ host: string; port: number } | null> {
    const given = (await this.sight.folder(environmentId).readMachine())?.given
    return given == null ? null : this.options.networks.reach(environmentId, given, port)
  }

  paused(): Promise<PausedMachine[]> {
    return this.domains.paused()
  }

  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void> {
    const { domains, sight } = this
    const watched = {
      followEvents: domains.followEvents.bind(domains),
      states: sight.states.bind(sight),
    }
    return watchPower(watched, changed, signal)
  }
}
