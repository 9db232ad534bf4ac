import type { Snapshot, SnapshotHolder } from '@hearth/contract'
import { formatDuration } from './duration.ts'
import { formatSize } from './size.ts'

/** What a snapshot has of its machine: `disk`, `disk and memory`, or `-` until that is known. */
export function heldText({ spec, status }: Snapshot): string {
  if (status.memory === null) return status.phase === 'ready' && !spec.memory ? 'disk' : '-'
  return status.memory.kept ? 'disk and memory' : 'disk'
}

/** Its phase, with how far its runner has come. */
export function snapshotProgress({ status }: Snapshot): string {
  const progress = status.holders.find((holder) => holder.progress !== null)?.progress
  if (progress === undefined || progress === null) return status.phase
  return `${status.phase}, ${progressText(progress)}`
}

/** How far a runner has come. */
export const progressText = ({ doneBytes, totalBytes }: NonNullable<SnapshotHolder['progress']>) =>
  `${formatSize(doneBytes)} of ${formatSize(totalBytes)}`

/** What one runner has of a snapshot, with how far it has come and what is wrong. */
export function holderText({ phase, unreachable, progress, copiedFrom, failure }: SnapshotHolder): string {
  return [
    phase === 'copying' && copiedFrom !== null ? `${phase} from ${copiedFrom}` : phase,
    ...(progress === null ? [] : [progressText(progress)]),
    ...(unreachable ? ['unreachable'] : []),
    ...(failure === null ? [] : [failure.message]),
  ].join(', ')
}

/** What was made, and what it cost the machine. */
export function snapshotSummary(snapshot: Snapshot): string {
  const { status } = snapshot
  const { bytes, memory, pausedMilliseconds: paused } = status
  return [
    `ready, ${heldText(snapshot)}`,
    ...(bytes === null ? [] : [formatSize(bytes.own + bytes.memory)]),
    ...(paused === null ? [] : [`the machine stood still for ${formatDuration(paused)}`]),
    ...(memory === null || memory.reason === null ? [] : [`without memory: ${memory.reason}`]),
  ].join(', ')
}
