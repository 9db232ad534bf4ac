import type { HearthClient } from '@hearth/client'
import { type Snapshot, snapshotSchema } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { failureText } from '../output/describe.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { snapshotProgress, snapshotSummary } from '../output/snapshot-text.ts'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

/** Shows a snapshot live until it is ready; throws with the cause when it fails or is deleted. */
export async function followSnapshot(
  client: HearthClient,
  made: Snapshot,
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Snapshot> {
  const { terminal } = options
  const title = `${nouns[made.spec.purpose]} ${made.metadata.name}`
  const ended = await followResource(
    client,
    made,
    {
      kind: 'Snapshot',
      schema: snapshotSchema,
      title,
      read: (id, reading) => client.snapshots.get(id, reading),
      hasEnded: ({ status }) => status.phase !== 'pending' && status.phase !== 'creating',
      isGood: ({ status }) => status.phase === 'ready',
      summary: (snapshot) => `${title}: ${snapshotSummary(snapshot)}`,
      draw: (snapshot) => terminal.tone(phaseTone(snapshot.status.phase), snapshotProgress(snapshot)),
      changes: (before, next) =>
        snapshotProgress(before) === snapshotProgress(next) ? [] : [`${title}: ${snapshotProgress(next)}`],
    },
    options,
  )
  const { phase, failure } = ended.status
  if (phase === 'ready') return ended
  const cause = failure === null ? '' : `\n${failureText(terminal, failure)}`
  throw new CommandError(`${title} is ${phase}${cause}`, exitCodes.failure)
}

const nouns: Readonly<Record<Snapshot['spec']['purpose'], string>> = {
  kept: 'snapshot',
  checkpoint: 'checkpoint',
  fork: 'snapshot',
  prebuild: 'snapshot',
  pipeline: 'snapshot',
}
