import { setTimeout as delay } from 'node:timers/promises'
import { type Authority, assertMayTouch } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostBoot } from '../command/host-boot.ts'
import type { OwnedFolders } from '../command/owned-folders.ts'
import { leftoverEntry } from '../leftover.ts'
import type { InventoryEntry, Machine, Power } from '../machine.ts'
import type { Domains } from './domains.ts'
import { memoryHeadBytes, parseMemoryHead } from './layers/memory-image.ts'
import { MachineFolder } from './machine-folder.ts'
import type { Given } from './metadata.ts'
import type { GuestNetworks } from './network/guest-networks.ts'

export interface MachineSightOptions {
  runner: CommandRunner
  domains: Domains
  folders: OwnedFolders
  networks: GuestNetworks
  owner: string
}

/** Time within which libvirt notices that a QEMU process has ended. */
const endMilliseconds = 500

/** State of the machines, put together from domains and folders. */
export class MachineSight {
  private readonly boot: HostBoot

  constructor(private readonly options: MachineSightOptions) {
    this.boot = new HostBoot(options.runner)
  }

  folder(environmentId: string): MachineFolder {
    return new MachineFolder(this.options.runner, this.options.folders, environmentId)
  }

  async inventory(): Promise<InventoryEntry[]> {
    const { domains, owner } = this.options
    const [defined, { folders, leftovers }] = await Promise.all([domains.list(), this.options.folders.list()])
    const ids = new Set([...defined, ...folders])
    const machines = await Promise.all(
      (await domains.look([...ids])).map(async ({ environmentId, power, ownership }) => {
        const file = await this.folder(environmentId).readMachine()
        this.note(environmentId, file?.given ?? null)
        return { environmentId, power, ownership: power === 'absent' ? (file?.ownership ?? null) : ownership }
      }),
    )
    this.options.networks.notedAll()
    const left = leftovers.filter((id) => !ids.has(id))
    return [...machines, ...left.map((id) => leftoverEntry(owner, id))]
  }

  async look(environmentId: string): Promise<Machine> {
    const { networks } = this.options
    const folder = this.folder(environmentId)
    const [[domain], hostBootId, file, record] = await Promise.all([
      this.options.domains.look([environmentId]),
      this.boot.id(),
      folder.readMachine(),
      folder.readRecord(),
    ])
    const given = file?.given ?? null
    // What ended was the attempt to go on from a memory: the machine itself has never run.
    const isFresh = domain?.power === 'crashed' && given?.source?.state === 'fresh'
    const seen = isFresh ? 'shut_off' : (domain?.power ?? 'absent')
    const power = (await this.isSuspended(
      folder,
      { power: seen, isHeld: domain?.isHeld === true },
      given,
      hostBootId,
    ))
      ? 'suspended'
      : seen
    this.note(environmentId, given)
    const isRunning = power === 'running'
    return {
      environmentId,
      power,
      endReason: power === 'suspended' ? null : isFresh ? 'unknown' : (domain?.endReason ?? null),
      pauseReason: power === 'suspended' ? null : (domain?.pauseReason ?? null),
      hostBootId,
      ownership: power === 'absent' ? (file?.ownership ?? null) : (domain?.ownership ?? null),
      address: given === null ? null : await networks.addressOf(environmentId, given, isRunning),
      identity: given?.identity ?? null,
      fault: isRunning && given !== null ? await this.faultOf(environmentId, given) : null,
      // A record in a folder that does not name its owner is not trusted.
      record: file === null ? null : record,
    }
  }

  /** A machine whose memory was loaded and that never went on is suspended as before. */
  private async isSuspended(
    folder: MachineFolder,
    { power, isHeld }: { power: Power; isHeld: boolean },
    given: Given | null,
    hostBootId: string,
  ): Promise<boolean> {
    const suspension = given?.suspension
    if (suspension === undefined) return false
    // A QEMU that did not load it has ended by itself.
    if (suspension.state === 'kept') return power !== 'absent' && (power !== 'running' || isHeld)
    // libvirt has finished it without the agent that asked. What the last boot had not written to the disk is lost.
    if (power !== 'shut_off' || suspension.hostBootId !== hostBootId) return false
    const head = await this.options.runner
      .readPart(folder.memory, 0, memoryHeadBytes)
      .catch(() => Buffer.alloc(0))
    return !('fault' in parseMemoryHead(head))
  }

  /** The machine, if this authority may change it; throws as `assertMayTouch` does. */
  async lookToTouch(environmentId: string, authority: Authority): Promise<Machine> {
    const machine = await this.look(environmentId)
    assertMayTouch(machine, this.options.owner, authority)
    return machine
  }

  private note(environmentId: string, given: Given | null): void {
    if (given !== null) this.options.networks.note(environmentId, given)
  }

  /** State of every machine as libvirt names it; a machine that has lost its network gets another state. */
  async states(): Promise<Map<string, string>> {
    const { domains, networks } = this.options
    const [states, listened] = await Promise.all([domains.states(), networks.listened()])
    const entries = [...states].map(async ([id, state]): Promise<[string, string]> => {
      const given = (await this.folder(id).readMachine())?.given
      const isLost = given != null && networks.isLost(given, listened)
      return [id, isLost ? `${state}, without network` : state]
    })
    return new Map(await Promise.all(entries))
  }

  private async faultOf(environmentId: string, given: Given): Promise<string | null> {
    const { networks, domains } = this.options
    if (given.source?.state === 'resuming') {
      return 'its start from memory was cut short: it has to be started again'
    }
    if (!networks.isLost(given, await networks.listened())) return null
    // The networking process ends with its machine: a machine that is just ending has no fault.
    await delay(endMilliseconds)
    const [domain] = await domains.look([environmentId])
    if (domain?.power !== 'running' || !networks.isLost(given, await networks.listened())) return null
    return (
      'the process that carries the machine’s network (passt) has ended, and QEMU does not connect to another one: ' +
      'the machine has to be started again'
    )
  }
}
