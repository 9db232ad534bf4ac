import type { Address, MachineLimits, PauseReason } from '@hearth/contract'

/**
 * `crashed`: the machine ended without an orderly shutdown. `paused`: the guest stands still although its hypervisor
 * runs. `suspended`: the machine is off, and its memory is kept on the host's disk.
 */
export type Power = 'absent' | 'shut_off' | 'running' | 'paused' | 'suspended' | 'crashed'

/** Why a machine is off or crashed, as far as the host knows. */
export type EndReason =
  /** The guest shut itself down, or was asked to. */
  | 'guest_shut_down'
  /** Somebody on the host ended the machine. */
  | 'ended_on_host'
  | 'kernel_panicked'
  /** The hypervisor was killed or crashed. */
  | 'hypervisor_gone'
  | 'unknown'

/** Stored in the machine's own metadata: proves which runner owns the machine. */
export interface Ownership {
  /** The runner's id. */
  owner: string
  environmentId: string
  epoch: number
  generation: number
  /** ISO 8601, UTC. */
  createdAt: string
}

/** Identity given to the guest, to be compared with what the guest reports. */
export interface GivenIdentity {
  /** 32 lower-case hexadecimal digits. */
  machineId: string
  hostname: string
  /** SHA-256 of the guest's random seed, hexadecimal. */
  randomSeedDigest: string
}

/** What the host shows of one environment's machine. */
export interface Machine {
  environmentId: string
  power: Power
  /** Null while the machine runs, is paused or suspended, or does not exist. */
  endReason: EndReason | null
  /** Null unless the machine is paused. */
  pauseReason: PauseReason | null
  /** Changes with every boot of the host. */
  hostBootId: string
  /** Null where no machine exists, or where nothing proves its owner. */
  ownership: Ownership | null
  address: Address | null
  identity: GivenIdentity | null
  /** Why a running machine can no longer be used, in words; null for a machine that can. */
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
  /** The layer that the disk stands on; null for one that stands on the image. */
  source: { layerId: string } | null
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
