import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { PauseReason } from '@hearth/contract'
import { type Authority, assertMayTouch, ownershipOf } from '../authority.ts'
import type { ExclusionScope } from '../exclusion-scope.ts'
import { HostError } from '../host-error.ts'
import { leftoverEntry } from '../leftover.ts'
import type { EndReason, InventoryEntry, Machine, MachineSpecification, PausedMachine } from '../machine.ts'
import type { Machines } from '../machines.ts'
import { digestRandomSeed, newRandomSeed } from '../random-seed.ts'
import type { SeedFile } from '../seed-file.ts'
import { connectedMachines, setConnected } from './connections.ts'
import { isInMemory, unpackGuestFiles } from './guest-files.ts'
import type { LayerStore } from './layer-store.ts'
import type { MachineStore, StoredMachine } from './machine-store.ts'
import { failsByChance, type SyntheticWorld } from './settings.ts'
import { bootBytes, emptyDiskBytes } from './sizes.ts'
import { memoryFault, SyntheticBases } from './synthetic-bases.ts'
import { SyntheticHostKeys } from './synthetic-host-keys.ts'
import { SyntheticServers } from './synthetic-servers.ts'

export interface SyntheticMachinesOptions extends SyntheticWorld {
  owner: string
  images: string[]
  exclusion: ExclusionScope
}

const ports = { first: 20_000, count: 40_000 }

/** Machines that exist only as files: for demonstrations without virtualisation and for tests at scale. */
export class SyntheticMachines implements Machines {
  private readonly pausedHere = new Set<string>()
  private readonly watchers = new Set<(environmentId: string) => void>()
  private readonly bases: SyntheticBases
  private readonly servers: SyntheticServers
  private readonly hostKeys: SyntheticHostKeys

  constructor(
    private readonly options: SyntheticMachinesOptions,
    private readonly store: MachineStore,
    private readonly layers: LayerStore,
  ) {
    this.bases = new SyntheticBases(layers, options.exclusion)
    this.hostKeys = new SyntheticHostKeys(options.random)
    this.servers = new SyntheticServers(options.settings.ports ?? [])
  }

  async inventory(): Promise<InventoryEntry[]> {
    const { folders, leftovers } = await this.store.list()
    const machines: InventoryEntry[] = []
    for (const environmentId of folders) {
      const machine = await this.store.read(environmentId)
      const power = machine?.power ?? 'absent'
      machines.push({ environmentId, power, ownership: machine?.ownership ?? null })
    }
    const left = leftovers.filter((id) => !folders.includes(id))
    return [...machines, ...left.map((id) => leftoverEntry(this.options.owner, id))]
  }

  async look(environmentId: string): Promise<Machine> {
    const [machine, record] = await Promise.all([
      this.store.read(environmentId),
      this.store.readText(environmentId, 'record.json'),
    ])
    return {
      environmentId,
      power: machine?.power ?? 'absent',
      endReason: machine?.endReason ?? null,
      pauseReason: machine?.pauseReason ?? null,
      hostBootId: await this.store.bootId(),
      ownership: machine?.ownership ?? null,
      address: machine?.address ?? null,
      identity: machine?.identity ?? null,
      fault: null,
      // A record in a folder that does not name its owner is not trusted.
      record: machine === null ? null : record,
    }
  }

  async create(specification: MachineSpecification, authority: Authority): Promise<void> {
    const { environmentId, hostname } = specification
    const existing = await this.own(environmentId, authority)
    if (existing !== null && existing.power !== 'absent') return
    if (!this.options.images.includes(specification.image)) {
      throw new HostError(
        'image_missing',
        `the base image "${specification.image}" is not on the synthetic host`,
      )
    }
    await delay(this.options.settings.createMilliseconds)
    if (failsByChance(this.options.settings, 'create_vm', this.options.random)) {
      throw new HostError('host_refused', 'the synthetic host refused the machine, as its settings say')
    }
    const digest = digestRandomSeed(newRandomSeed())
    const { image, virtualCpus, memoryMebibytes, diskGibibytes, source } = specification
    const made = { image, virtualCpus, memoryMebibytes, diskGibibytes }
    await this.bases.over(source?.layerId ?? null, made, async (disk, files) => {
      const folder = this.folderOf(environmentId, authority)
      if (existing === null) await this.write(null, authority, folder)
      await this.store.replaceGuestFiles(environmentId, files)
      await this.write(folder, authority, {
        ...folder,
        power: 'shut_off',
        endReason: 'unknown',
        address: {
          host: '127.0.0.1',
          port: portOf(environmentId),
          user: 'root',
          hostKey: this.hostKeys.next(),
        },
        identity: { machineId: environmentId.replaceAll('-', ''), hostname, randomSeedDigest: digest },
        specification: made,
        disk,
      })
    })
  }

  async start(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.existing(environmentId, authority)
    if (machine.power === 'running' || machine.power === 'paused') return
    await this.bases.check(machine.disk.layerId)
    const answersAt = this.options.clock.now().getTime() + this.options.settings.bootMilliseconds
    await this.forgetMemory(environmentId)
    // The seed disk gives a guest its own identity when it boots.
    await this.write(machine, authority, {
      ...{ ...machine, ...going, answersAt },
      disk: booted(machine.disk),
      guest: null,
    })
  }

  async startFromMemory(environmentId: string, layerId: string, authority: Authority): Promise<void> {
    const machine = await this.existing(environmentId, authority)
    const { disk, specification } = machine
    if (machine.power !== 'shut_off' || disk.layerId !== layerId || disk.state !== 'fresh') {
      throw new HostError(
        'host_refused',
        `the machine ${environmentId} is not a new one over the layer ${layerId}`,
      )
    }
    const layer = await this.layers.read(layerId)
    const fault =
      layer?.facts?.memory == null
        ? (layer?.facts?.memoryFault ?? 'the layer has no memory')
        : memoryFault(layer.machine, specification)
    if (fault !== null) throw new HostError('memory_unusable', fault)
    await this.layers.verify(layerId)
    const answersAt = this.options.clock.now().getTime() + this.options.settings.resumeMilliseconds
    const { origin } = layer ?? {}
    const inMemory = unpackGuestFiles(await this.layers.content(layerId, 'memory'))
    for (const [name, text] of Object.entries(inMemory)) await this.store.writeText(environmentId, name, text)
    await this.write(machine, authority, {
      ...{ ...machine, ...going, answersAt },
      disk: { ...disk, state: 'ran' },
      guest: origin == null ? null : { ...origin.identity, hostKey: origin.hostKey },
    })
  }

  async replaceDisk(environmentId: string, layerId: string, authority: Authority): Promise<void> {
    const machine = await this.existing(environmentId, authority)
    if (machine.power === 'running' || machine.power === 'paused') {
      throw new HostError(
        'host_refused',
        `the machine ${environmentId} is not off: its disk cannot be replaced`,
      )
    }
    if (machine.specification === null) {
      throw new HostError('host_refused', `the machine ${environmentId} was made by an earlier agent`)
    }
    await this.bases.over(layerId, machine.specification, async (disk, files) => {
      await authority.assertHeld()
      await this.store.replaceGuestFiles(environmentId, files)
      await this.write(machine, authority, { ...machine, disk })
    })
  }

  async givenFiles(environmentId: string): Promise<SeedFile[]> {
    const identity = (await this.store.read(environmentId))?.identity
    if (identity == null) throw new HostError('host_refused', `there is no machine ${environmentId}`)
    return [
      { path: '/etc/hostname', mode: 0o644, content: `${identity.hostname}\n` },
      { path: '/etc/machine-id', mode: 0o444, content: `${identity.machineId}\n` },
    ]
  }

  async rename(environmentId: string, hostname: string, authority: Authority): Promise<void> {
    const machine = await this.existing(environmentId, authority)
    if (machine.identity === null) throw new HostError('host_refused', `there is no machine ${environmentId}`)
    await this.write(machine, authority, { ...machine, identity: { ...machine.identity, hostname } })
  }

  async shutDown(environmentId: string, authority: Authority): Promise<void> {
    await this.end(environmentId, authority, 'guest_shut_down')
  }

  async resume(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.existing(environmentId, authority)
    if (machine.power === 'paused') await this.write(machine, authority, { ...machine, ...going })
  }

  async suspend(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.existing(environmentId, authority)
    if (machine.power === 'suspended') return
    if (machine.power !== 'running') {
      throw new HostError('host_refused', `the machine is ${machine.power}: only what runs can be suspended`)
    }
    await delay(this.options.settings.freezeMilliseconds)
    await this.write(machine, authority, { ...machine, power: 'suspended', endReason: null })
  }

  async resumeSuspended(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.existing(environmentId, authority)
    if (machine.power === 'paused') return this.resume(environmentId, authority)
    if (machine.power === 'running') return
    if (machine.power !== 'suspended') {
      throw new HostError('memory_unusable', 'the memory of the machine is no longer there')
    }
    const answersAt = this.options.clock.now().getTime() + this.options.settings.resumeMilliseconds
    await this.write(machine, authority, { ...machine, ...going, answersAt })
  }

  async powerOff(environmentId: string, authority: Authority): Promise<void> {
    await this.end(environmentId, authority, 'ended_on_host')
  }

  async remove(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.own(environmentId, authority)
    await authority.assertHeld()
    // A folder that does not name its owner is left alone.
    if (machine === null) await this.store.clear(environmentId)
    else await this.store.remove(environmentId)
  }

  async stamp(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.own(environmentId, authority)
    if (machine === null) return
    const { epoch, generation } = authority
    await this.write(machine, authority, {
      ...machine,
      ownership: { ...machine.ownership, epoch, generation },
    })
  }

  async keepRecord(environmentId: string, text: string, authority: Authority): Promise<void> {
    const machine = await this.own(environmentId, authority)
    await authority.assertHeld()
    if (machine === null) await this.store.open(environmentId, this.folderOf(environmentId, authority))
    await this.store.writeText(environmentId, 'record.json', text)
  }

  async readConsole(environmentId: string): Promise<string> {
    const machine = await this.store.read(environmentId)
    return machine === null ? '' : `synthetic machine ${environmentId}: ${machine.power}\n`
  }

  connected(environmentIds: readonly string[]): Promise<Map<string, boolean | null>> {
    return connectedMachines(this.store, environmentIds)
  }

  async reach(environmentId: string, port: number): Promise<{ host: string; port: number } | null> {
    const machine = await this.store.read(environmentId)
    return machine?.power === 'running' ? this.servers.reach(environmentId, port) : null
  }

  async paused(): Promise<PausedMachine[]> {
    // Only machines that this process paused: there are many machines, and each is a file.
    const machines = await Promise.all(
      [...this.pausedHere].map(async (environmentId) => ({
        environmentId,
        reason: (await this.store.read(environmentId))?.pauseReason ?? null,
      })),
    )
    return machines.flatMap(({ environmentId, reason }) =>
      reason === null ? [] : [{ environmentId, reason }],
    )
  }

  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    this.watchers.add(changed)
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.watchers.delete(changed)
        resolve()
      })
    })
  }

  /** Ends a machine as a crash of its hypervisor would. */
  async crash(environmentId: string, endReason: EndReason = 'hypervisor_gone'): Promise<void> {
    await this.change(environmentId, { ...this.down('crashed'), endReason, pauseReason: null })
  }

  /** Pauses a machine, as a full disk or somebody on the host would. */
  async pause(environmentId: string, pauseReason: PauseReason): Promise<void> {
    this.pausedHere.add(environmentId)
    await this.change(environmentId, { power: 'paused', endReason: null, pauseReason })
  }

  /** Connects somebody to the machine's SSH server, or ends that. */
  connect(environmentId: string, isConnected: boolean): Promise<void> {
    return setConnected(this.store, environmentId, isConnected)
  }

  /** Ends all machines, as a boot of the host does. */
  async reboot(): Promise<void> {
    await this.store.newBoot()
    const { folders } = await this.store.list()
    for (const environmentId of folders) {
      const machine = await this.store.read(environmentId)
      if (machine === null || machine.power === 'absent' || machine.power === 'suspended') continue
      await this.change(environmentId, { ...this.down(), endReason: 'unknown', pauseReason: null })
    }
  }

  /** Stops all notifications. */
  close(): void {
    this.watchers.clear()
    this.servers.close()
  }

  private async change(
    environmentId: string,
    change: Pick<StoredMachine, 'power' | 'endReason' | 'pauseReason'> & { wentDownAt?: number },
  ): Promise<void> {
    const machine = await this.store.read(environmentId)
    if (machine === null) throw new Error(`there is no machine ${environmentId}`)
    await this.store.write(environmentId, { ...machine, ...change })
    for (const changed of this.watchers) changed(environmentId)
  }

  private down(power: 'shut_off' | 'crashed' = 'shut_off') {
    return { power, wentDownAt: this.options.clock.now().getTime() }
  }

  private async end(environmentId: string, authority: Authority, endReason: EndReason): Promise<void> {
    const machine = await this.existing(environmentId, authority)
    if (machine.power !== 'running' && machine.power !== 'paused' && machine.power !== 'suspended') return
    await this.write(machine, authority, { ...machine, ...this.down(), endReason, pauseReason: null })
  }

  private async forgetMemory(environmentId: string): Promise<void> {
    const names = Object.keys(await this.store.readGuestFiles(environmentId))
    for (const name of names.filter(isInMemory)) await this.store.removeFile(environmentId, name)
  }

  private async own(environmentId: string, authority: Authority): Promise<StoredMachine | null> {
    const machine = await this.store.read(environmentId)
    if (machine !== null) assertMayTouch({ environmentId, ...machine }, this.options.owner, authority)
    return machine
  }

  private async existing(environmentId: string, authority: Authority): Promise<StoredMachine> {
    const machine = await this.own(environmentId, authority)
    if (machine === null || machine.power === 'absent') {
      throw new HostError('host_refused', `there is no machine ${environmentId}`)
    }
    return machine
  }

  private folderOf(environmentId: string, authority: Authority): StoredMachine {
    const { owner, clock } = this.options
    const ownership = ownershipOf(owner, environmentId, authority, clock.now())
    return {
      power: 'absent',
      endReason: null,
      pauseReason: null,
      answersAt: 0,
      wentDownAt: null,
      ownership,
      address: null,
      identity: null,
      specification: null,
      disk: { layerId: null, writtenBytes: emptyDiskBytes, state: 'fresh' },
      guest: null,
    }
  }

  private async write(
    before: StoredMachine | null,
    authority: Authority,
    machine: StoredMachine,
  ): Promise<void> {
    await authority.assertHeld()
    const { environmentId } = machine.ownership
    if (before === null) await this.store.open(environmentId, machine)
    else await this.store.write(environmentId, machine)
  }
}

const going = { power: 'running', endReason: null, pauseReason: null } as const

function booted({ layerId, writtenBytes }: StoredMachine['disk']): StoredMachine['disk'] {
  return { layerId, writtenBytes: writtenBytes + bootBytes, state: 'ran' }
}

/** Port of the machine, the same after restarts; nothing listens on it. */
function portOf(environmentId: string): number {
  return ports.first + (createHash('sha256').update(environmentId).digest().readUInt32BE() % ports.count)
}
