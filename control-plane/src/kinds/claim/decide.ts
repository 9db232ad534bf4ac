import type { ClaimPhase, EnvironmentPhase, Failure } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

export interface ObservedClaim {
  phase: ClaimPhase
  /** null when its row is gone, which happens a week after it was deleted. */
  environment: { phase: EnvironmentPhase; failure: Failure | null } | null
}

export type ClaimAction = { do: 'bind' } | { do: 'fail'; failure: Failure } | { do: 'release' }

/** What follows for a claim from its machine. */
export function decide(seen: ObservedClaim): ClaimAction | null {
  const phase = seen.environment?.phase ?? 'deleted'
  switch (seen.phase) {
    case 'pending':
      return decidePending(phase, seen.environment?.failure ?? null)
    case 'failed':
      // Its machine was tried once more.
      if (phase === 'running') return { do: 'bind' }
      return phase === 'deleted' ? { do: 'release' } : null
    case 'bound':
      return phase === 'deleted' ? { do: 'release' } : null
    case 'released':
      return null
    default:
      return assertNever(seen.phase)
  }
}

function decidePending(phase: EnvironmentPhase, failure: Failure | null): ClaimAction | null {
  switch (phase) {
    case 'running':
      return { do: 'bind' }
    case 'failed':
      return {
        do: 'fail',
        failure: failure ?? { code: 'internal', message: 'its machine failed without a cause' },
      }
    case 'deleting':
    case 'deleted':
      return {
        do: 'fail',
        failure: failure ?? { code: 'internal', message: 'its machine was deleted before it was ready' },
      }
    case 'pending':
    case 'provisioning':
    case 'starting':
    case 'stopping':
    case 'stopped':
      return null
    default:
      return assertNever(phase)
  }
}
