import { type Claim, type Evidence, type StepStatus, stepKey } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'

/** How far a claim is bound, in words; null where it asked for nothing. */
export function explainBinding({ status }: Claim): string | null {
  const { binding } = status
  if (binding === null) return null
  const running = binding.steps.find(({ phase }) => phase === 'running')
  switch (binding.phase) {
    case 'pending': {
      const until = status.deadline === null ? '' : ` until ${spokenTime(status.deadline)} at the latest`
      const wanted = listed(binding.steps)
      return status.deadline === null
        ? `what it asked for (${wanted}) is bound when its environment runs`
        : `it waits for its runner to begin to bind what it asked for (${wanted})${until}`
    }
    case 'running':
      if (running === undefined) return 'what it asked for is being bound'
      return `${stepKey(running)} is being bound${running.startedAt === null ? '' : ` since ${spokenTime(running.startedAt)}`}`
    case 'bound':
      return `what it asked for (${listed(binding.steps)}) was bound${binding.boundAt === null ? '' : ` at ${spokenTime(binding.boundAt)}`}`
    case 'failed':
      return `it could not be bound: ${binding.failure?.message ?? 'no cause was reported'}`
    default:
      return assertNever(binding.phase)
  }
}

/** What to do about a claim that could not be bound. */
export function nextAfterBinding({ metadata, status }: Claim): string | null {
  if (status.phase !== 'failed' || status.binding?.phase !== 'failed') return null
  return `look into it with hearth ssh ${metadata.name}; hearth retry ${metadata.name} binds it once more, hearth delete claim ${metadata.name} gives it up`
}

export function bindingHistory({ status }: Claim): Evidence[] {
  return (status.binding?.steps ?? []).flatMap((step) =>
    step.finishedAt === null ? [] : [{ what: `${stepKey(step)} ${step.phase}`, at: step.finishedAt }],
  )
}

const listed = (steps: readonly StepStatus[]) => steps.map(stepKey).join(', ')
