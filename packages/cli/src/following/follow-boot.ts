import type { HearthClient } from '@hearth/client'
import { type Environment, environmentSchema } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { changeLines } from '../output/environment-lines.ts'
import { stepLines } from '../output/step-table.ts'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

/** Shows the steps of one environment live, with their times, until it is as wanted, has failed or is gone. */
export function followBoot(
  client: HearthClient,
  environment: Environment,
  title: string,
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
  wanted: 'running' | 'suspended' = 'running',
): Promise<Environment> {
  return followResource<Environment>(
    client,
    environment,
    {
      kind: 'Environment',
      schema: environmentSchema,
      title,
      read: (id, reading) => client.environments.get(id, reading),
      hasEnded: (seen) => hasEnded(seen, wanted),
      isGood: ({ status }) => status.phase === wanted,
      summary: () => `${title}: ${wanted === 'running' ? 'ready' : wanted}`,
      draw: ({ status }, now) => stepLines(status.steps, options.terminal, now),
      changes: changeLines,
    },
    options,
  )
}

const onTheWay: ReadonlySet<string> = new Set<Environment['status']['phase']>([
  'pending',
  'provisioning',
  'starting',
  'suspending',
  'resuming',
])

/** Until the runner has seen the wish, a phase in which an environment rests says nothing. */
function hasEnded({ spec, specVersion, status }: Environment, wanted: 'running' | 'suspended'): boolean {
  const { phase, observedSpecVersion } = status
  if (onTheWay.has(phase)) return false
  if (phase === wanted || spec.desiredPhase !== wanted) return true
  return !resting.has(phase) || observedSpecVersion >= specVersion
}

const resting: ReadonlySet<string> = new Set<Environment['status']['phase']>([
  'running',
  'stopped',
  'suspended',
])
