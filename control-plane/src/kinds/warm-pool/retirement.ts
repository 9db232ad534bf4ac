import type { DeletionReason, RunnerPhase } from '@hearth/contract'
import { isTooOld, type Member, type ObservedPool } from './decide.ts'

/** Why a pool lets a member go, for its record. `runner` is the phase of the member's runner, where it has one. */
export function retirementReason(
  seen: Pick<ObservedPool, 'enabled' | 'cleared' | 'deleting' | 'maxAgeMinutes' | 'now'>,
  member: Pick<Member, 'phase' | 'current' | 'abandoned' | 'createdAt' | 'readyAt'>,
  runner: RunnerPhase | null,
): DeletionReason {
  if (seen.deleting) return 'pool_deleted'
  if (!seen.enabled) return 'pool_disabled'
  if (seen.cleared) return 'pool_cleared'
  if (member.phase === 'failed') return 'failed'
  if (member.abandoned) return abandonment(runner)
  if (member.phase === 'stopping' || member.phase === 'stopped') return 'not_running'
  if (!member.current) return 'older_configuration'
  return isTooOld(member, seen) ? 'too_old' : 'pool_surplus'
}

function abandonment(runner: RunnerPhase | null): DeletionReason {
  if (runner === 'draining') return 'runner_drained'
  return runner === 'deleted' ? 'runner_removed' : 'runner_lost'
}
