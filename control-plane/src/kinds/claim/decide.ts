import type {
  BindingPhase,
  ClaimPhase,
  DesiredPhase,
  EnvironmentPhase,
  Failure,
  OnHostLoss,
  WaitFor,
} from '@hearth/contract'
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
  /** null where nothing is to be bound. */
  binding: ClaimedBinding | null
}

export interface ClaimedBinding {
  phase: BindingPhase
  failure: Failure | null
  waitFor: WaitFor
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
  const unbound = bindingFailure(seen.binding)
  switch (seen.phase) {
    case 'pending':
      if (isLost(seen)) return { do: 'replace' }
      if (phase === 'running') return decideRunning(seen.binding)
      return decidePending(phase, environment?.failure ?? null)
    case 'failed':
      // Its environment was retried, or bound once more.
      if (phase === 'running' && isReady(seen.binding)) return { do: 'bind' }
      return phase === 'deleted' ? { do: 'release' } : null
    case 'bound':
      if (isLost(seen)) return { do: 'replace' }
      if (phase === 'deleted') return { do: 'release' }
      return unbound === null ? null : { do: 'fail', failure: unbound }
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

/** A machine that runs is the claim's when all is bound that it waits for. */
function decideRunning(binding: ClaimedBinding | null): ClaimAction | null {
  const failure = bindingFailure(binding)
  if (failure !== null) return { do: 'fail', failure }
  return isReady(binding) ? { do: 'bind' } : null
}

function isReady(binding: ClaimedBinding | null): boolean {
  if (binding === null || binding.phase === 'bound') return true
  return binding.waitFor === 'address' && binding.phase !== 'failed'
}

function bindingFailure(binding: ClaimedBinding | null): Failure | null {
  if (binding?.phase !== 'failed') return null
  return (
    binding.failure ?? { code: 'internal', message: 'it could not be bound, and its runner said no cause' }
  )
}

function decidePending(
  phase: Exclude<EnvironmentPhase, 'running'>,
  failure: Failure | null,
): ClaimAction | null {
  switch (phase) {
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
