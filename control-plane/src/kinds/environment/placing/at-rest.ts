import { sql } from 'kysely'
import type { EnvironmentRow } from '../table.ts'

/**
 * A member of a pool that nobody has claimed and that need not run, as SQL over `environments`: its host keeps its disk for it, but
 * neither memory nor processors. Somebody's own machine keeps them, so that it always starts again.
 */
export const isAtRest = sql<boolean>`(environments.claim_id IS NULL
  AND environments.owner_kind IN ('warm-pool', 'warm-pool-inspection')
  AND environments.phase IN ('suspended', 'stopped') AND environments.desired_phase = environments.phase)`

type Resting = Pick<EnvironmentRow, 'claim_id' | 'owner_kind' | 'phase' | 'desired_phase'>

/** The same of a row that was read. */
export function rests({ claim_id, owner_kind, phase, desired_phase }: Resting): boolean {
  const isMember = owner_kind === 'warm-pool' || owner_kind === 'warm-pool-inspection'
  const isOff = phase === 'suspended' || phase === 'stopped'
  return claim_id === null && isMember && isOff && desired_phase === phase
}

/** One that takes a boot slot of its runner, or will, as SQL over `environments`. */
export const isBooting = sql<boolean>`(environments.phase IN ('pending', 'provisioning', 'starting', 'resuming')
  AND environments.desired_phase <> 'deleted')`
