import type { Environment, Evidence, OnHostLoss, RunnerPhase } from '@hearth/contract'
import type { RefusalGroup } from '../../../placement/refusals.ts'
import type { OwnerKind } from '../owner.ts'

/** One environment and all that its state may depend on. */
export interface EnvironmentSight {
  environment: Environment
  phaseSince: Date
  project: { name: string; onHostLoss: OnHostLoss } | null
  runner: { name: string; phase: RunnerPhase; lastSeenAt: Date | null } | null
  /** By its name; null for one that nobody owns, or whose owner is gone. */
  owner: { kind: OwnerKind; name: string } | null
  claim: string | null
  /** The name of who asked for its deletion. */
  deletedBy: string | null
  /** The prebuild that it was given, and why nothing quicker. */
  start: { prebuild: string | null; reason: string | null }
  /** While it waits: what placement would say now. */
  placement: { runner: string | null; reason: string; refusals: RefusalGroup[] } | null
}

/** What an explanation adds to the kind, the name and the phase. */
export interface Reasons {
  sentence: string
  evidence: Evidence[]
  next: string | null
}

export const runnerName = ({ runner }: Pick<EnvironmentSight, 'runner'>): string =>
  runner?.name ?? 'no runner'
