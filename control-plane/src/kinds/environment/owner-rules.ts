import type { DeletionReason } from '@hearth/contract'
import type { ReconciledKind, Wake } from '../../reconciling/wake.ts'
import type { OwnerColumns, OwnerKind } from './owner.ts'

/** What an owner kind means for an environment. A new owner kind is one entry here. */
export interface OwnerRules {
  /** What is reconciled when the environment's phase changes; null when nobody acts on that. */
  wakes: ReconciledKind | null
  /** Someone waits for it: placement does not try a degraded runner with it. */
  isAwaited: boolean
  /** Why it is removed once it has been kept for as long as was asked; null for what is kept without an end. */
  endsFor: Extract<DeletionReason, 'test_over' | 'inspection_over'> | null
  /** What messages call an environment with this owner. */
  noun: string
  /** Who is let in while no claim has it. Administrators always are. */
  lets: { creator: boolean; refusal: string }
  /** What owns it from then on when somebody is let in while no claim has it; null when that changes nothing. */
  afterEntry: OwnerKind | null
}

const membersOnly = {
  creator: false,
  refusal: 'is a member of a pool: claim one, or have an administrator look into it',
}

export const ownerRules: Readonly<Record<OwnerKind, OwnerRules>> = {
  'warm-pool': {
    wakes: 'warm-pool',
    isAwaited: false,
    endsFor: null,
    noun: 'environment',
    lets: membersOnly,
    // A certificate outlives the moment of entry: for a member that could still be claimed it would open the claimed
    // environment afterwards.
    afterEntry: 'warm-pool-inspection',
  },
  // Tests and inspected environments are not members: nothing that counts, claims or replaces members includes them.
  'warm-pool-test': {
    wakes: null,
    isAwaited: true,
    endsFor: 'test_over',
    noun: 'test',
    lets: { creator: true, refusal: 'is a test: only who started it and administrators enter it' },
    afterEntry: null,
  },
  'warm-pool-inspection': {
    wakes: null,
    isAwaited: true,
    endsFor: 'inspection_over',
    noun: 'environment',
    lets: membersOnly,
    afterEntry: null,
  },
  // What is built on it is given to everybody who starts from the prebuild: nobody may leave something in it.
  prebuild: {
    wakes: 'prebuild',
    isAwaited: true,
    endsFor: null,
    noun: 'environment',
    lets: { creator: false, refusal: 'is a prebuild’s: only administrators enter it' },
    afterEntry: null,
  },
  // It is asked for what its pipeline does by way of that.
  pipeline: {
    wakes: 'pipeline',
    isAwaited: true,
    endsFor: null,
    noun: 'environment',
    lets: { creator: false, refusal: 'is a pipeline’s: only administrators enter it' },
    afterEntry: null,
  },
}

export function rulesFor({ owner_kind }: Pick<OwnerColumns, 'owner_kind'>): OwnerRules | null {
  return owner_kind === null ? null : ownerRules[owner_kind]
}

/** Wakes for whoever acts on a change of an environment's phase beside the environment itself. */
export function wakesOfOwner(row: OwnerColumns): Wake[] {
  const kind = rulesFor(row)?.wakes ?? null
  return kind === null || row.owner_id === null ? [] : [{ kind, id: row.owner_id }]
}
