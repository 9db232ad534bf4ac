import { type Volume, volumeSchema } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { CommandError, exitCodes } from '../exit-codes.ts'
import type { View } from '../kinds/kind.ts'
import { failureText } from '../output/describe.ts'
import { phaseTone } from '../output/phase-tone.ts'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

const resting: ReadonlySet<string> = new Set<Volume['status']['phase']>([
  'unplaced',
  'available',
  'attached',
  'failed',
])

/** Shows a volume live until its host has done what is asked of it; throws with the cause when that fails. */
export async function followVolume(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  asked: Volume,
  { terminal, clock }: { terminal: Terminal; clock: Clock },
): Promise<Volume> {
  const title = `volume ${asked.metadata.name}`
  const ended = await followResource(
    client,
    asked,
    {
      kind: 'Volume',
      schema: volumeSchema,
      title,
      read: (id, reading) => client.volumes.get(id, reading),
      hasEnded: ({ status }) => resting.has(status.phase),
      isGood: ({ status }) => status.phase !== 'failed',
      summary: (volume) => `${title}: ${progress(volume)}`,
      draw: (volume) => terminal.tone(phaseTone(volume.status.phase), progress(volume)),
      changes: (before, next) => (progress(before) === progress(next) ? [] : [`${title}: ${progress(next)}`]),
    },
    { terminal, clock, signal },
  )
  const { phase, failure } = ended.status
  if (phase !== 'failed') return ended
  const cause = failure === null ? '' : `\n${failureText(terminal, failure)}`
  throw new CommandError(`${title} is ${phase}${cause}`, exitCodes.failure)
}

function progress({ spec, status }: Volume): string {
  if (status.waitsFor !== null) return `${status.phase}: waits for ${status.waitsFor}`
  if (status.phase !== 'attached') return status.phase
  return status.isMounted ? `mounted at ${spec.mountPath}` : 'kept for its machine, which does not run'
}
