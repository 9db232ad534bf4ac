import type { Address, MachineLimits, PauseReason } from '@hearth/contract'

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

export interface PausedMachine {
  environmentId: string
  reason: PauseReason
}

export interface InventoryEntry {
  environmentId: string
  power: Power
  ownership: Ownership | null
}
