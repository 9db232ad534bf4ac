import type { Snapshot } from '@hearth/contract'
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
  return `${status.phase}, ${formatSize(progress.doneBytes)} of ${formatSize(progress.totalBytes)}`
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
