import type { Authority } from './authority.ts'
import type { InventoryEntry, Machine, MachineSpecification, PausedMachine } from './machine.ts'
import type { SeedFile } from './seed-file.ts'

/**
 * The machines of one host. Every method may be repeated after it was interrupted at any point and then does what is
 * left to do. A method that changes a machine checks its authority before each single action. It throws HostError
 * when the host refuses, and StaleAuthority when the machine shows a newer epoch or generation than the authority
 * has. It never touches a machine that is not proved to belong to this runner.
 */
export interface Machines {
  /**
   * All of Hearth's machines on the host, and folders without a machine; other machines are not listed. Remains of
   * interrupted creations and removals of folders are deleted.
   */
  inventory(): Promise<InventoryEntry[]>
  look(environmentId: string): Promise<Machine>
  /**
   * Creates disk, identity and definition of a machine, powered off. Parts that already exist are kept. With a source,
   * throws HostError `layer_damaged` when the layer is not there or not as it was made, `layer_unfit` when it was made
   * from another image or its disk is larger than the machine's.
   */
  create(specification: MachineSpecification, authority: Authority): Promise<void>
  start(environmentId: string, authority: Authority): Promise<void>
  /**
   * First start of a machine that was made from this layer, or whose disk was replaced by it: goes on from the layer's
   * memory. Throws HostError `memory_unusable` with the reason when the memory does not fit or cannot be loaded; the
   * machine is then off and its disk is as it was made, ready for `start`.
   */
  startFromMemory(environmentId: string, layerId: string, authority: Authority): Promise<void>
  /** Gives a machine that is off a new disk that stands on the layer; what was written since is lost. */
  replaceDisk(environmentId: string, layerId: string, authority: Authority): Promise<void>
  /** Asks the guest to shut down and returns at once. A paused machine is resumed first. */
  shutDown(environmentId: string, authority: Authority): Promise<void>
  /** Resumes a paused machine. Rejects with HostError when it pauses again at once. */
  resume(environmentId: string, authority: Authority): Promise<void>
  /**
   * Writes the memory of a running machine to the host's disk and ends the machine. Throws HostError when that is not
   * possible; the machine then runs on.
   */
  suspend(environmentId: string, authority: Authority): Promise<void>
  /**
   * Lets a suspended machine go on where it stood. Throws HostError `memory_unusable` with the reason when its memory
   * cannot be loaded: it is removed, and the machine is off.
   */
  resumeSuspended(environmentId: string, authority: Authority): Promise<void>
  /** Ends the machine as if its power were cut; a suspended one loses its memory. */
  powerOff(environmentId: string, authority: Authority): Promise<void>
  /** Ends the machine and removes everything that was created for it. */
  remove(environmentId: string, authority: Authority): Promise<void>
  /** Writes the authority's epoch and generation into the machine's metadata. */
  stamp(environmentId: string, authority: Authority): Promise<void>
  /**
   * Stores a text beside the machine, replaced as a whole; it is removed with the machine. Where there is no machine
   * yet, its folder is created and names its owner.
   */
  keepRecord(environmentId: string, text: string, authority: Authority): Promise<void>
  /**
   * Gives the machine another host name from its next start on. What it is compared with says it at once: the guest is
   * told by whoever calls this.
   */
  rename(environmentId: string, hostname: string, authority: Authority): Promise<void>
  /** The files that give the machine its identity. Throws HostError where there is no machine. */
  givenFiles(environmentId: string): Promise<SeedFile[]>
  /** The last part of the guest's console output, for a person to read. */
  readConsole(environmentId: string): Promise<string>
  /**
   * Whether anybody has an open connection to the SSH server of these machines, beside as many as are the caller's `own`;
   * null for one of which that cannot be seen from the host. Those that are gone are left out.
   */
  connected(
    environmentIds: readonly string[],
    own?: ReadonlyMap<string, number>,
  ): Promise<Map<string, boolean | null>>
  /**
   * Where this host reaches a port of a running machine by plain TCP; null where its network does not let it, or the
   * machine does not run.
   */
  reach(environmentId: string, port: number): Promise<{ host: string; port: number } | null>
  /** The paused machines, of any owner. */
  paused(): Promise<PausedMachine[]>
  /** Calls back, within seconds, for machines whose power state changed by itself, until the signal aborts. */
  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void>
}
