import type { VolumePhase, VolumeReport } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { StoredVolumeStatus, VolumeRow } from '../table.ts'

export interface ReportedVolume {
  phase: VolumePhase
  status: StoredVolumeStatus
  /** Whether its runner has done with it. */
  isGone: boolean
}

type Said = Pick<
  VolumeReport,
  'phase' | 'failure' | 'generation' | 'isMade' | 'attachedTo' | 'isMounted' | 'usedMebibytes'
>

/** How a volume stands after a report. What was seen before the newest wish says nothing about that. */
export function afterReport(
  row: Pick<VolumeRow, 'phase' | 'spec_version' | 'status'>,
  report: Said,
): ReportedVolume {
  const { attachedTo, isMounted, usedMebibytes } = report
  const status: StoredVolumeStatus = {
    ...row.status,
    ...{ attachedTo, isMounted, usedMebibytes },
    isMade: row.status.isMade || report.isMade,
    observedSpecVersion: Math.max(row.status.observedSpecVersion, report.generation),
  }
  const same = { phase: row.phase, status, isGone: false }
  if (report.generation !== row.spec_version) return same
  if (row.phase === 'deleting') {
    const failure = report.phase === 'failed' ? report.failure : null
    return { ...same, isGone: report.phase === 'deleted', status: { ...status, failure } }
  }
  switch (report.phase) {
    case 'available':
    case 'attached':
    case 'creating':
    case 'attaching':
    case 'detaching':
    case 'clearing':
    case 'growing':
      return { ...same, phase: report.phase, status: { ...status, failure: null } }
    case 'failed':
      return { ...same, phase: 'failed', status: { ...status, failure: report.failure } }
    case 'deleting':
    case 'deleted':
      return same
    default:
      return assertNever(report.phase)
  }
}
