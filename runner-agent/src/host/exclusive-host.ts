import type { Authority } from './authority.ts'
import { exclusively } from './exclusion.ts'
import type { Host, HostFacts } from './host.ts'
import type { InventoryEntry, Machine, MachineSpecification, PausedMachine } from './machine.ts'

/**
 * A host on which one machine is changed by one agent at a time, even where two drive it. Whoever comes next finds
 * the change done whole, and the numbers it was done under.
 */
export class ExclusiveHost implements Host {
  constructor(
    private readonly host: Host,
    /** A folder of this machine, in which the agents that drive the host exclude each other. */
    private readonly locksFolder: string,
    /** Names the host and its folder, the same for every agent that drives them from this machine. */
    private readonly scope: string,
  ) {}

  facts(): Promise<HostFacts> {
    return this.host.facts()
  }

  inventory(): Promise<InventoryEntry[]> {
    return this.host.inventory()
  }

  look(environmentId: string): Promise<Machine> {
    return this.host.look(environmentId)
  }

  create(specification: MachineSpecification, authority: Authority): Promise<void> {
    return this.alone(specification.environmentId, authority, () =>
      this.host.create(specification, authority),
    )
  }

  start(environmentId: string, authority: Authority): Promise<void> {
    return this.alone(environmentId, authority, () => this.host.start(environmentId, authority))
  }

  shutDown(environmentId: string, authority: Authority): Promise<void> {
    return this.alone(environmentId, authority, () => this.host.shutDown(environmentId, authority))
  }

  resume(environmentId: string, authority: Authority): Promise<void> {
    return this.alone(environmentId, authority, () => this.host.resume(environmentId, authority))
  }

  powerOff(environmentId: string, authority: Authority): Promise<void> {
    return this.alone(environmentId, authority, () => this.host.powerOff(environmentId, authority))
  }

  remove(environmentId: string, authority: Authority): Promise<void> {
    return this.alone(environmentId, authority, () => this.host.remove(environmentId, authority))
  }

  stamp(environmentId: string, authority: Authority): Promise<void> {
    return this.alone(environmentId, authority, () => this.host.stamp(environmentId, authority))
  }

  keepRecord(environmentId: string, text: string, authority: Authority): Promise<void> {
    return this.alone(environmentId, authority, () => this.host.keepRecord(environmentId, text, authority))
  }

  readConsole(environmentId: string): Promise<string> {
    return this.host.readConsole(environmentId)
  }

  paused(): Promise<PausedMachine[]> {
    return this.host.paused()
  }

  freeDiskBytes(): Promise<number> {
    return this.host.freeDiskBytes()
  }

  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void> {
    return this.host.watch(changed, signal)
  }

  close(): Promise<void> {
    return this.host.close()
  }

  private alone(environmentId: string, authority: Authority, work: () => Promise<void>): Promise<void> {
    return exclusively(this.locksFolder, `${this.scope}/${environmentId}`, async () => {
      await authority.assertHeld()
      await work()
    })
  }
}
