import type { ClaimPhase, DesiredPhase, EnvironmentPhase, Failure, OnHostLoss } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

export interface ClaimedMachine {
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  failure: Failure | null
  /** Whether its runner is silent. */
  unreachable: boolean
  /** Whether it has ever been ready, so that it may hold someone's work. */
  everReady: boolean
}

export interface SeenClaim {
  phase: ClaimPhase
  /** null when its row is gone, which happens a week after it was deleted. */
  environment: ClaimedMachine | null
  onHostLoss: OnHostLoss
}

export type ClaimAction =
  | { do: 'bind' }
  | { do: 'fail'; failure: Failure }
  | { do: 'release' }
  | { do: 'replace' } // give it another environment: the host of its own is lost

/** The next action for a claim, from the state of its environment. */
export function decide(seen: SeenClaim): ClaimAction | null {
  const { environment } = seen
  const phase = environment?.phase ?? 'deleted'
  switch (seen.phase) {
    case 'pending':
      return isLost(seen) ? { do: 'replace' } : decidePending(phase, environment?.failure ?? null)
    case 'failed':
      // Its environment was retried.
      if (phase === 'running') return { do: 'bind' }
      return phase === 'deleted' ? { do: 'release' } : null
    case 'bound':
      if (isLost(seen)) return { do: 'replace' }
      return phase === 'deleted' ? { do: 'release' } : null
    case 'released':
      return null
    default:
      return assertNever(seen.phase)
  }
}

/**
 * An environment that was never ready holds nobody's work: only one that was ready waits for its host, if the project
 * says so.
 */
function isLost({ environment, onHostLoss }: SeenClaim): boolean {
  if (environment === null || !environment.unreachable || environment.desiredPhase !== 'running') return false
  switch (environment.phase) {
    case 'provisioning':
    case 'starting':
    case 'running':
    case 'stopping':
    case 'suspending':
    case 'resuming':
      return onHostLoss === 'recreate' || !environment.everReady
    case 'pending':
    case 'stopped':
    case 'suspended':
    case 'failed':
    case 'deleting':
    case 'deleted':
      return false
    default:
      return assertNever(environment.phase)
  }
}

function decidePending(phase: EnvironmentPhase, failure: Failure | null): ClaimAction | null {
  switch (phase) {
    case 'running':
      return { do: 'bind' }
    case 'failed':
      return {
        do: 'fail',
        failure: failure ?? { code: 'internal', message: 'its environment failed without a cause' },
      }
    case 'deleting':
    case 'deleted':
      return {
        do: 'fail',
        failure: failure ?? { code: 'internal', message: 'its environment was deleted before it was ready' },
      }
    case 'pending':
    case 'provisioning':
    case 'starting':
    case 'stopping':
    case 'stopped':
    case 'suspending':
    case 'suspended':
    case 'resuming':
      return null
    default:
      return assertNever(phase)
  }
}
