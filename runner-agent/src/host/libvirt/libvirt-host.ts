import { type Authority, assertMayTouch, ownershipOf } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { OwnedFolders } from '../command/owned-folders.ts'
import type { Host, HostFacts } from '../host.ts'
import type { InventoryEntry, Machine, MachineSpecification, Ownership, PausedMachine } from '../machine.ts'
import { type Capacity, measureCapacity, measureFreeBytes } from './capacity.ts'
import { Creation } from './creation.ts'
import { Domains } from './domains.ts'
import { ImageFolder } from './image-folder.ts'
import { Lifecycle } from './lifecycle.ts'
import { Machines } from './machines.ts'
import { GuestNetworks } from './network/guest-networks.ts'
import { Ports } from './network/ports.ts'
import type { NetworkSettings } from './network/settings.ts'
import { Virsh } from './virsh.ts'
import { watchPower } from './watch.ts'

export interface LibvirtHostOptions {
  runner: CommandRunner
  uri: string
  virtualization: 'kvm' | 'qemu'
  imagesFolder: string
  /** Folder that holds a folder for each machine. */
  machinesFolder: string
  /** The runner's id: what makes a machine this agent's own. */
  owner: string
  /** The host's address on which guests are reached. */
  guestAddress: string
  network: NetworkSettings
  /** Holds a folder for each guest's networking process; short, and of this user alone or root's. */
  socketsFolder: string
  /** Whether commands on the host run as root. */
  isRoot: boolean
  /** OpenSSH public key that the agent logs in to guests with. */
  agentKey: string
  capacity: { [Name in keyof Capacity]?: number | undefined }
  clock: { now(): Date }
}

/** Machines as libvirt domains with QEMU. */
export class LibvirtHost implements Host {
  private readonly domains: Domains
  private readonly images: ImageFolder
  private readonly machines: Machines
  private readonly creation: Creation
  private readonly lifecycle: Lifecycle
  private readonly networks: GuestNetworks
  private capacity: Promise<Capacity> | null = null

  constructor(private readonly options: LibvirtHostOptions) {
    const { runner, owner } = options
    const virsh = new Virsh(runner, options.uri)
    this.domains = new Domains(virsh)
    this.images = new ImageFolder(runner, options.imagesFolder)
    const ports = new Ports(runner)
    this.networks = new GuestNetworks({ ...options, virsh, ports, settings: options.network })
    const folders = new OwnedFolders(runner, options.machinesFolder, owner)
    const { domains, images, networks } = this
    this.machines = new Machines({ runner, domains, folders, networks, owner })
    const { machines } = this
    this.creation = new Creation({ ...options, domains, machines, images, networks })
    this.lifecycle = new Lifecycle({ runner, domains, machines, folders, networks })
  }

  async facts(): Promise<HostFacts> {
    this.capacity ??= measureCapacity(this.options.runner, this.options.machinesFolder, this.options.capacity)
    return {
      virtualization: this.options.virtualization,
      ...(await this.capacity),
      images: await this.images.names(),
      warnings: await this.networks.warnings(),
    }
  }

  inventory(): Promise<InventoryEntry[]> {
    return this.machines.inventory()
  }

  look(environmentId: string): Promise<Machine> {
    return this.machines.look(environmentId)
  }

  create(specification: MachineSpecification, authority: Authority): Promise<void> {
    return this.creation.create(specification, authority)
  }

  start(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.start(environmentId, authority)
  }

  shutDown(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.shutDown(environmentId, authority)
  }

  resume(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.resume(environmentId, authority)
  }

  powerOff(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.powerOff(environmentId, authority)
  }

  remove(environmentId: string, authority: Authority): Promise<void> {
    return this.lifecycle.remove(environmentId, authority)
  }

  async stamp(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.machines.lookToTouch(environmentId, authority)
    if (machine.ownership === null) return
    const { epoch, generation } = authority
    const ownership: Ownership = { ...machine.ownership, epoch, generation }
    if (machine.power !== 'absent') {
      const live = machine.power === 'running' || machine.power === 'paused'
      const flags = live ? ['--live', '--config'] : ['--config']
      await authority.assertHeld()
      await this.domains.setOwnership(environmentId, ownership, flags)
    }
    const folder = this.machines.folder(environmentId)
    const file = await folder.readMachine()
    await authority.assertHeld()
    if (file !== null) await folder.writeMachine({ ...file, ownership })
  }

  async keepRecord(environmentId: string, text: string, authority: Authority): Promise<void> {
    const folder = this.machines.folder(environmentId)
    // The folder alone is asked: a record is kept often, and asking libvirt costs.
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
    const { console } = this.machines.folder(environmentId)
    const result = await this.options.runner.run(['tail', '-c', '8192', '--', console])
    return result.stdout
  }

  paused(): Promise<PausedMachine[]> {
    return this.domains.paused()
  }

  freeDiskBytes(): Promise<number> {
    return measureFreeBytes(this.options.runner, this.options.machinesFolder)
  }

  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void> {
    const { domains, machines } = this
    const watched = {
      followEvents: domains.followEvents.bind(domains),
      states: machines.states.bind(machines),
    }
    return watchPower(watched, changed, signal)
  }

  async close(): Promise<void> {
    await this.options.runner.close()
  }
}
