import type { InstanceState } from '@hearth/contract'
import { sql } from 'kysely'

/**
 * An environment's state in its pool, as SQL over `environments`. The only definition: pools count by it and lists
 * filter by it. `ready` means that a claim could take it.
 */
export const instanceState = sql<InstanceState>`CASE
  WHEN environments.phase = 'deleted' THEN 'removed'
  WHEN environments.phase = 'deleting' OR environments.desired_phase = 'deleted' THEN 'removing'
  WHEN environments.claim_id IS NOT NULL THEN 'claimed'
  WHEN environments.owner_kind = 'warm-pool-inspection' AND environments.phase = 'running' THEN 'unavailable'
  WHEN environments.phase = 'failed' THEN 'failed'
  WHEN environments.phase IN ('pending', 'provisioning', 'starting') THEN 'provisioning'
  WHEN environments.phase = 'running' AND environments.desired_phase = 'running'
    AND NOT environments.unreachable AND environments.paused IS NULL THEN 'ready'
  WHEN environments.phase IN ('suspended', 'stopped') AND environments.phase = environments.desired_phase
    AND NOT environments.unreachable THEN environments.phase
  WHEN environments.phase = 'resuming' THEN 'provisioning'
  ELSE 'unavailable' END`
