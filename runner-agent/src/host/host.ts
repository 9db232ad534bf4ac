import type { Address, MachineLimits, PauseReason, RunnerFacts } from '@hearth/contract'
import type { Authority } from './authority.ts'

/**
 * `crashed` is a machine that ended by itself and not by an orderly shutdown; `paused` is one whose guest stands still
 * although its hypervisor is there.
 */
export type Power = 'absent' | 'shut_off' | 'running' | 'paused' | 'crashed'

/** Why a machine is off or crashed, as far as the host knows. */
export type EndReason =
  /** The guest shut itself down, or was asked to. */
  | 'guest_shut_down'
  /** Somebody on the host ended it. */
  | 'ended_on_host'
  | 'kernel_panicked'
  /** Its hypervisor was killed, or crashed. */
  | 'hypervisor_gone'
  | 'unknown'

/** Stands in the machine's own metadata: the proof of whose it is. */
export interface Ownership {
  /** The runner's id. */
  owner: string
  environmentId: string
  epoch: number
  generation: number
  /** ISO 8601, UTC. */
  createdAt: string
}

/** What the guest was given as its own, to be read back from inside it. */
export interface GivenIdentity {
  /** 32 lower-case hexadecimal digits. */
  machineId: string
  hostname: string
  /** SHA-256 of its random seed, hexadecimal. */
  randomSeedDigest: string
}

/** What the host shows of one environment's machine. */
export interface Machine {
  environmentId: string
  power: Power
  /** null while it runs, is paused, or is not there. */
  endReason: EndReason | null
  /** null unless it is paused. */
  pauseReason: PauseReason | null
  /** Changes with every boot of the host. */
  hostBootId: string
  /** null where there is nothing, or nothing that proves whose it is. */
  ownership: Ownership | null
  address: Address | null
  identity: GivenIdentity | null
  /** Why a machine that runs cannot be used any more, in words; null for one that can. */
  fault: string | null
  /** The text last given to `keepRecord`. */
  record: string | null
}

export interface MachineSpecification {
  environmentId: string
  hostname: string
  image: string
  virtualCpus: number
  memoryMebibytes: number
  diskGibibytes: number
  limits: MachineLimits
  /** OpenSSH public key that the guest trusts to sign user certificates. */
  userCertificateAuthority: string
  /** The only principal the guest accepts. */
  principal: string
}

export type HostFacts = Pick<
  RunnerFacts,
  'virtualization' | 'virtualCpus' | 'memoryMebibytes' | 'diskGibibytes' | 'images' | 'warnings'
>

export interface PausedMachine {
  environmentId: string
  reason: PauseReason
}

export interface InventoryEntry {
  environmentId: string
  power: Power
  ownership: Ownership | null
}

/**
 * One host and its machines. Every method may be called again after a cut at any point, and does then what is
 * left to do. A method that changes a machine asks its authority before each single action. It throws HostError when
 * the host refuses, and touches no machine that does not prove to be this runner's; nor one that shows newer numbers
 * than the authority has, which is StaleAuthority.
 */
export interface Host {
  facts(): Promise<HostFacts>
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
  /** Free space, in bytes, where the machines' disks are. */
  freeDiskBytes(): Promise<number>
  /** Calls back, within seconds, for machines whose power changed by itself, until the signal aborts. */
  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
