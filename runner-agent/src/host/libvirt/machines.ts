import { type Authority, assertMayTouch } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostBoot } from '../command/host-boot.ts'
import type { OwnedFolders } from '../command/owned-folders.ts'
import type { InventoryEntry, Machine } from '../host.ts'
import { leftoverEntry } from '../leftover.ts'
import type { Domains } from './domains.ts'
import { MachineFolder } from './machine-folder.ts'
import type { Given } from './metadata.ts'
import type { Ports } from './ports.ts'

export interface MachinesOptions {
  runner: CommandRunner
  domains: Domains
  folders: OwnedFolders
  ports: Ports
  owner: string
}

/** What domains and folders together show of the machines. */
export class Machines {
  private readonly boot: HostBoot

  constructor(private readonly options: MachinesOptions) {
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
        this.reserve(environmentId, file?.given ?? null)
        return { environmentId, power, ownership: power === 'absent' ? (file?.ownership ?? null) : ownership }
      }),
    )
    const left = leftovers.filter((id) => !ids.has(id))
    return [...machines, ...left.map((id) => leftoverEntry(owner, id))]
  }

  async look(environmentId: string): Promise<Machine> {
    const folder = this.folder(environmentId)
    const [[domain], hostBootId, file, record] = await Promise.all([
      this.options.domains.look([environmentId]),
      this.boot.id(),
      folder.readMachine(),
      folder.readRecord(),
    ])
    const power = domain?.power ?? 'absent'
    this.reserve(environmentId, file?.given ?? null)
    return {
      environmentId,
      power,
      endReason: domain?.endReason ?? null,
      pauseReason: domain?.pauseReason ?? null,
      hostBootId,
      ownership: power === 'absent' ? (file?.ownership ?? null) : (domain?.ownership ?? null),
      address: file?.given?.address ?? null,
      identity: file?.given?.identity ?? null,
      // A record in a folder that does not say whose it is says nothing either.
      record: file === null ? null : record,
    }
  }

  /** The machine, which this authority may touch; throws as `assertMayTouch` does. */
  async lookToTouch(environmentId: string, authority: Authority): Promise<Machine> {
    const machine = await this.look(environmentId)
    assertMayTouch(machine, this.options.owner, authority)
    return machine
  }

  private reserve(environmentId: string, given: Given | null): void {
    if (given !== null) this.options.ports.reserve(environmentId, given.address.port)
  }
}
