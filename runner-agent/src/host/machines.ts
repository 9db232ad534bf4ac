import type { Authority } from './authority.ts'
import type { InventoryEntry, Machine, MachineSpecification, PausedMachine } from './machine.ts'

/**
 * The machines of one host. Every method may be called again after a cut at any point, and does then what is
 * left to do. A method that changes a machine asks its authority before each single action. It throws HostError when
 * the host refuses, and touches no machine that does not prove to be this runner's; nor one that shows newer numbers
 * than the authority has, which is StaleAuthority.
 */
export interface Machines {
  /**
   * All machines of Hearth on the host, and folders left without one; machines of others are not listed. What a cut
   * left behind of a folder that was being made or removed is cleared away.
   */
  inventory(): Promise<InventoryEntry[]>
  look(environmentId: string): Promise<Machine>
  /** Makes disk, identity and definition, shut off. What is there already is kept. */
  create(specification: MachineSpecification, authority: Authority): Promise<void>
  start(environmentId: string, authority: Authority): Promise<void>
  /** Asks the guest to shut down; returns at once. A paused one goes on first. */
  shutDown(environmentId: string, authority: Authority): Promise<void>
  /** Lets a paused machine go on. Rejects with HostError when it pauses again at once. */
  resume(environmentId: string, authority: Authority): Promise<void>
  /** Ends the machine as if its power were cut. */
  powerOff(environmentId: string, authority: Authority): Promise<void>
  /** Ends the machine and removes everything that was made for it. */
  remove(environmentId: string, authority: Authority): Promise<void>
  /** Writes the authority's numbers into the machine's metadata. */
  stamp(environmentId: string, authority: Authority): Promise<void>
  /**
   * Keeps a text beside the machine, replaced whole; it goes when the machine goes. Where there is no machine yet, its
   * folder is made and says whose it is.
   */
  keepRecord(environmentId: string, text: string, authority: Authority): Promise<void>
  /** The end of what the guest wrote to its console, for a person to read. */
  readConsole(environmentId: string): Promise<string>
  /** The machines that are paused, whoever's they are. */
  paused(): Promise<PausedMachine[]>
  /** Calls back, within seconds, for machines whose power changed by itself, until the signal aborts. */
  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void>
}
