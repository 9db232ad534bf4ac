import { type Route, routeSchema } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { View } from '../kinds/kind.ts'
import { failureText } from '../output/describe.ts'
import { phaseTone } from '../output/phase-tone.ts'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

/** Shows a route live until its runner serves it; throws with the cause when that fails. */
export async function followRoute(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  made: Route,
  { terminal, clock }: { terminal: Terminal; clock: Clock },
): Promise<Route> {
  const title = `route ${made.metadata.name}`
  const ended = await followResource(
    client,
    made,
    {
      kind: 'Route',
      schema: routeSchema,
      title,
      read: (id, reading) => client.routes.get(id, reading),
      hasEnded: ({ status }) => status.phase !== 'pending' && status.phase !== 'opening',
      isGood: ({ status }) => status.phase === 'active',
      summary: (route) => `${title}: ${progress(route)}`,
      draw: (route) => terminal.tone(phaseTone(route.status.phase), progress(route)),
      changes: (before, next) => (progress(before) === progress(next) ? [] : [`${title}: ${progress(next)}`]),
    },
    { terminal, clock, signal },
  )
  const { phase, failure } = ended.status
  if (phase === 'active') return ended
  const cause = failure === null ? '' : `\n${failureText(terminal, failure)}`
  throw new CommandError(`${title} is ${phase}${cause}`, exitCodes.failure)
}

function progress({ status }: Route): string {
  return status.waitsFor === null ? status.phase : `${status.phase}: waits for ${status.waitsFor}`
}
