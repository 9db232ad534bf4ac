import { HostError } from './host-error.ts'
import type { Machine, Ownership } from './machine.ts'

/** In whose name a machine is touched: the numbers of a lease and an order, and whether they still hold. */
export interface Authority {
  epoch: number
  generation: number
  /** Asked before every single action. Rejects once nothing may be done in this name. */
  assertHeld(): Promise<void>
}

/** The machine, or its guest, has been worked on under a newer lease or order: this one must leave it alone. */
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
 * Throws HostError unless nothing is there or it proves to be this owner's, and StaleAuthority when it shows newer
 * numbers than the authority has.
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

/** The ownership that a machine gets when it is made or taken over in this name. */
export function ownershipOf(
  owner: string,
  environmentId: string,
  { epoch, generation }: Authority,
  createdAt: Date,
): Ownership {
  return { owner, environmentId, epoch, generation, createdAt: createdAt.toISOString() }
}
