import type { HearthClient } from '@hearth/client'
import { type Snapshot, type SnapshotHolder, snapshotSchema } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { failureText } from '../output/describe.ts'
import { holderText, progressText } from '../output/snapshot-text.ts'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

/** Shows the copy of a snapshot live until the runner holds it; throws with the cause when it cannot come. */
export async function followCopy(
  client: HearthClient,
  asked: Snapshot,
  runner: { id: string; name: string },
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Snapshot> {
  const title = `copy of snapshot ${asked.metadata.name} to ${runner.name}`
  const holder = ({ status }: Snapshot): SnapshotHolder | undefined =>
    status.holders.find(({ runnerId }) => runnerId === runner.id)
  const stage = (snapshot: Snapshot): string => {
    const held = holder(snapshot)
    if (held === undefined) return 'the runner does not hold it'
    const origin = snapshot.status.holders.find(({ runner: name }) => name === held.copiedFrom)
    if (held.phase !== 'pending' || origin?.progress == null) return holderText(held)
    return `waits for ${origin.runner} to make it stand on the image alone, ${progressText(origin.progress)}`
  }
  const isThere = (snapshot: Snapshot) => holder(snapshot)?.phase === 'present'
  const isComing = (snapshot: Snapshot) =>
    snapshot.status.phase === 'ready' &&
    (holder(snapshot)?.phase === 'pending' || holder(snapshot)?.phase === 'copying')
  const ended = await followResource(
    client,
    asked,
    {
      kind: 'Snapshot',
      schema: snapshotSchema,
      title,
      read: (id, reading) => client.snapshots.get(id, reading),
      hasEnded: (snapshot) => !isComing(snapshot),
      isGood: isThere,
      summary: () => `${title}: there`,
      draw: stage,
      changes: (before, next) => (stage(before) === stage(next) ? [] : [`${title}: ${stage(next)}`]),
    },
    options,
  )
  if (isThere(ended)) return ended
  const failure = holder(ended)?.failure ?? null
  const { phase } = ended.status
  const cause = failure === null ? '' : `\n${failureText(options.terminal, failure)}`
  const what = phase === 'ready' ? `${title} failed` : `${title} ended: the snapshot is ${phase}`
  throw new CommandError(`${what}${cause}`, exitCodes.failure)
}
