import type { HearthClient } from '@hearth/client'
import { type Claim, claimSchema, type StepStatus, stepKey } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { formatDuration } from '../output/duration.ts'
import { stepLines } from '../output/step-table.ts'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

/** Shows live how a claim is bound, until it is, has failed or is over. */
export function followBinding(
  client: HearthClient,
  claim: Claim,
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Claim> {
  const title = `claim ${claim.metadata.name}`
  return followResource<Claim>(
    client,
    claim,
    {
      kind: 'Claim',
      schema: claimSchema,
      title,
      read: (id, reading) => client.claims.get(id, reading),
      hasEnded: ({ status }) => status.phase !== 'pending',
      isGood: ({ status }) => status.phase === 'bound',
      summary: () => `${title}: bound`,
      draw: ({ status }, now) => stepLines(status.binding?.steps ?? [], options.terminal, now),
      changes,
    },
    options,
  )
}

function changes(before: Claim, next: Claim): string[] {
  const known = new Map(before.status.binding?.steps.map((step) => [stepKey(step), step.phase]))
  return (next.status.binding?.steps ?? [])
    .filter((step) => known.get(stepKey(step)) !== step.phase && step.phase !== 'pending')
    .map((step) => `${stepKey(step)} ${said(step)}`)
}

function said({ phase, durationMilliseconds }: StepStatus): string {
  if (phase === 'running') return '...'
  return durationMilliseconds === null ? phase : `${phase} in ${formatDuration(durationMilliseconds)}`
}
