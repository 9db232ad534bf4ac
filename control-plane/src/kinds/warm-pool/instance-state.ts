import type { InstanceState } from '@hearth/contract'
import { sql } from 'kysely'

/**
 * An environment's state in its pool, as SQL over `environments`: the one definition, by which pools count and lists
 * filter.
 * `ready` is what the statement of a claim would take.
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
  ELSE 'unavailable' END`
