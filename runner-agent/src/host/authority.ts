import { HostError } from './host-error.ts'
import type { Layer } from './layer.ts'
import type { Machine, Ownership } from './machine.ts'
import type { Volume } from './volume.ts'

/**
 * On whose authority a machine is changed: epoch of the lease, generation of the order, and whether both still hold.
 */
export interface Authority {
  epoch: number
  generation: number
  /** Called before every single action. Rejects once the authority no longer holds. */
  assertHeld(): Promise<void>
}

/**
 * The machine or its guest was worked on under a newer lease or order: the holder of this authority must leave it
 * alone.
 */
export class StaleAuthority extends Error {
  override readonly name = 'StaleAuthority'

  constructor(
    readonly shown: { epoch: number; generation: number },
    held: { epoch: number; generation: number },
  ) {
    super(
      `it shows epoch ${shown.epoch} and generation ${shown.generation}, ` +
        `this agent has epoch ${held.epoch} and an order of generation ${held.generation}`,
    )
  }
}

export function isNewer(
  shown: { epoch: number; generation: number },
  held: { epoch: number; generation: number },
): boolean {
  return shown.epoch > held.epoch || shown.generation > held.generation
}

/**
 * Throws HostError when the machine exists and is not proved to belong to this owner, and StaleAuthority when it
 * shows a newer epoch or generation than the authority has.
 */
export function assertMayTouch(
  machine: Pick<Machine, 'environmentId' | 'power' | 'ownership'>,
  owner: string,
  authority: Authority,
): void {
  const { environmentId, power, ownership } = machine
  if (power === 'absent' && ownership === null) return
  if (ownership?.owner !== owner) {
    throw new HostError('host_refused', `the machine ${environmentId} is not this runner's`)
  }
  if (isNewer(ownership, authority)) throw new StaleAuthority(ownership, authority)
}

/** Throws for a layer as `assertMayTouch` does for a machine. */
export function assertMayTouchLayer(
  { layerId, phase, ownership }: Pick<Layer, 'layerId' | 'phase' | 'ownership'>,
  owner: string,
  authority: Authority,
): void {
  if (phase === 'absent' && ownership === null) return
  if (ownership?.owner !== owner) {
    throw new HostError('host_refused', `the layer ${layerId} is not this runner's`)
  }
  if (isNewer(ownership, authority)) throw new StaleAuthority(ownership, authority)
}

/** Throws for a volume as `assertMayTouch` does for a machine. */
export function assertMayTouchVolume(
  { volumeId, phase, ownership }: Pick<Volume, 'volumeId' | 'phase' | 'ownership'>,
  owner: string,
  authority: Authority,
): void {
  if (phase === 'absent' && ownership === null) return
  if (ownership?.owner !== owner) {
    throw new HostError('host_refused', `the volume ${volumeId} is not this runner's`)
  }
  if (isNewer(ownership, authority)) throw new StaleAuthority(ownership, authority)
}

/**
 * Throws when the machine is not this owner's to freeze. Its generation is of another order than the layer's: only the
 * epoch is compared.
 */
export function assertMayFreeze(
  machine: Pick<Machine, 'environmentId' | 'power' | 'ownership'>,
  owner: string,
  authority: Authority,
): void {
  if (machine.power === 'absent') {
    throw new HostError('host_refused', `there is no machine ${machine.environmentId}`)
  }
  const generation = Math.max(authority.generation, machine.ownership?.generation ?? 0)
  assertMayTouch(machine, owner, { ...authority, generation })
}

/** Throws HostError for a machine whose disk is not all of it: what was begun before it was suspended may be completed. */
export function assertWholeOnDisk({ power }: Pick<Machine, 'power'>): void {
  if (power !== 'suspended') return
  throw new HostError('host_refused', 'part of the machine is in its memory: resume it first')
}

/** Ownership written to a machine that is created or taken over on this authority. */
export function ownershipOf(
  owner: string,
  environmentId: string,
  { epoch, generation }: Authority,
  createdAt: Date,
): Ownership {
  return { owner, environmentId, epoch, generation, createdAt: createdAt.toISOString() }
}
