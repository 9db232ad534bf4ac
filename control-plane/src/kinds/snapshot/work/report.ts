import type { SnapshotReport, SnapshotStatus } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { ReportOutcome } from '../../../work/work-kind.ts'
import { copyEndsAt } from '../copies/decide-copy.ts'
import type { HolderRow, SnapshotRow, StoredSnapshotStatus } from '../table.ts'

/** What a report is worth, before anything is changed. */
export function judgeReport(
  row: Pick<SnapshotRow, 'spec_version' | 'phase'>,
  holder:
    | Pick<HolderRow, 'runner_epoch' | 'runner_phase' | 'report_epoch' | 'report_sequence' | 'source'>
    | undefined,
  report: Pick<SnapshotReport, 'epoch' | 'generation' | 'sequence' | 'grantId'>,
): ReportOutcome {
  if (holder === undefined || row.phase === 'deleted' || holder.runner_phase === 'deleted') return 'refused'
  if (report.epoch !== holder.runner_epoch || report.generation > row.spec_version) return 'refused'
  // What was seen before a deletion or a failure was decided says nothing about it.
  if (report.generation < row.spec_version) return 'stale'
  const { source } = holder
  // The same of an earlier attempt to copy it.
  if (source.kind === 'runner' && source.grantId !== (report.grantId ?? null)) return 'stale'
  if (report.epoch !== holder.report_epoch) return report.epoch > holder.report_epoch ? 'applied' : 'stale'
  return report.sequence > Number(holder.report_sequence) ? 'applied' : 'stale'
}

/** The holder after a report; null when it has nothing of the snapshot any more. */
export function holderAfter(
  row: Pick<SnapshotRow, 'desired_phase' | 'phase'>,
  before: Pick<HolderRow, 'phase' | 'source' | 'failure'>,
  report: Pick<SnapshotReport, 'phase' | 'progress' | 'keptBy' | 'failure'>,
): Pick<HolderRow, 'phase' | 'progress' | 'kept_by' | 'failure'> | null {
  const { phase, progress } = report
  const copy = before.source.kind === 'runner' ? before.source : null
  const isWanted = row.desired_phase === 'ready' && row.phase === 'ready'
  // One that was given up is known as such until it is forgotten: its runner removes what it has of it.
  if (copy?.isGivenUp === true && isWanted)
    return { phase: 'failed', progress: null, kept_by: report.keptBy, failure: before.failure }
  // Why it did not come from the runner before.
  const failure = report.failure ?? (copy !== null && phase === 'copying' ? before.failure : null)
  switch (phase) {
    case 'deleted':
      return null
    case 'creating':
    case 'copying':
      return { phase, progress, kept_by: [], failure }
    case 'present':
      // A layer that is there has progress while it is flattened.
      return { phase, progress, kept_by: [], failure }
    case 'failed':
      return { phase, progress: null, kept_by: [], failure }
    case 'deleting':
      return { phase, progress: null, kept_by: report.keptBy, failure }
    default:
      return assertNever(phase)
  }
}

/** Whether the holder's layer stands on the image alone after a report, and what becomes of the wish for that. */
export function standingAfter(
  { flattening, progress: before }: Pick<HolderRow, 'flattening' | 'progress'>,
  { layer, unflattened, progress }: Pick<SnapshotReport, 'layer' | 'unflattened' | 'progress'>,
  now: Date,
): Pick<HolderRow, 'is_flat' | 'flattening'> {
  const is_flat = layer !== null && layer.parentId === null
  if (flattening === null || is_flat) return { is_flat, flattening }
  if (unflattened?.id === flattening.id)
    return { is_flat, flattening: { ...flattening, failure: unflattened.failure } }
  const isMoving = progress !== null && progress.doneBytes > (before?.doneBytes ?? 0)
  return { is_flat, flattening: isMoving ? { ...flattening, endsAt: copyEndsAt(now) } : flattening }
}

/** What the snapshot is, from the layer that a runner made of it. */
export function factsAfter(
  row: Pick<SnapshotRow, 'spec'> & { status: StoredSnapshotStatus },
  layer: SnapshotReport['layer'],
): Pick<StoredSnapshotStatus, 'bytes' | 'memory' | 'pausedMilliseconds'> {
  if (layer === null) {
    const { bytes, memory, pausedMilliseconds } = row.status
    return { bytes, memory, pausedMilliseconds }
  }
  return {
    bytes: { own: layer.disk.bytes, total: layer.totalBytes, memory: layer.memory?.bytes ?? 0 },
    memory: memoryAfter(row.spec.memory, layer),
    pausedMilliseconds: layer.pausedMilliseconds ?? row.status.pausedMilliseconds,
  }
}

function memoryAfter(
  isAsked: boolean,
  { memory, memoryFault }: NonNullable<SnapshotReport['layer']>,
): SnapshotStatus['memory'] {
  if (memory !== null) return { kept: true, reason: null }
  return { kept: false, reason: isAsked ? (memoryFault ?? 'its runner did not say why') : null }
}
