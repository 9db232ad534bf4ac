import { type PipelineDetails, type PipelineStatuses, pipelineEventLimits } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'

/** How a pipeline is, or was when its newest event was written. */
export interface Monitored {
  statuses: PipelineStatuses
  details: PipelineDetails
}

export type MonitorDecision =
  /** An event is to be written now. */
  | 'record'
  /** Details have changed that an event is to be written of, but too soon after the last one. */
  | 'later'
  | 'nothing'

/** Whether an event is to be written of how a pipeline is. A clock that was set back delays none. */
export function decideMonitor(
  newest: (Monitored & { at: Date }) | null,
  { statuses, details }: Monitored,
  now: Date,
): MonitorDecision {
  if (newest === null) return 'record'
  if (!isSame(newest.statuses, statuses)) return 'record'
  const seconds = (now.getTime() - newest.at.getTime()) / 1000
  const isPast = (limit: number) => seconds >= limit || seconds < 0
  if (isPast(pipelineEventLimits.silenceSeconds)) return 'record'
  if (isSame(newest.details, details)) return 'nothing'
  return isPast(pipelineEventLimits.detailsSeconds) ? 'record' : 'later'
}

/** As JSON has them, since what is compared was stored as such. */
const isSame = (before: object, after: object) => canonicalJson(before) === canonicalJson(after)
