import type { HearthClient } from '@hearth/client'
import { type Environment, environmentSchema } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { changeLines } from '../output/environment-lines.ts'
import { stepLines } from '../output/step-table.ts'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

/** Shows the steps of one environment live, with their times, until it is ready, has failed or is gone. */
export function followBoot(
  client: HearthClient,
  environment: Environment,
  title: string,
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Environment> {
  return followResource<Environment>(
    client,
    environment,
    {
      kind: 'Environment',
      schema: environmentSchema,
      title,
      read: (id, reading) => client.environments.get(id, reading),
      hasEnded: ({ status }) => !onTheWay.has(status.phase),
      isGood: ({ status }) => status.phase === 'running',
      summary: () => `${title}: ready`,
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
])
