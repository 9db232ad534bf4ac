import type { RouteDomain, RoutePhase, RouteReport } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { RouteRow, StoredRouteStatus } from '../table.ts'

export interface ReportedRoute {
  phase: RoutePhase
  status: StoredRouteStatus
  /** Whether its runner has done with it. */
  isGone: boolean
  /** Whether a request has asked for its machine. */
  asksForMachine: boolean
}

/** How a route stands after a report. What was seen before the newest wish says nothing about that. */
export function afterReport(
  row: Pick<RouteRow, 'phase' | 'spec' | 'spec_version' | 'status'>,
  report: Pick<RouteReport, 'phase' | 'failure' | 'generation' | 'wakeId' | 'domain'>,
  now: Date,
): ReportedRoute {
  const { wake } = row.status
  const asksForMachine = report.wakeId !== null && report.wakeId !== wake?.id
  const status: StoredRouteStatus = {
    ...row.status,
    observedSpecVersion: Math.max(row.status.observedSpecVersion, report.generation),
    ...(report.wakeId !== null && asksForMachine
      ? { wake: { id: report.wakeId, at: now.toISOString(), fault: null, isHandled: false } }
      : {}),
    domain: domainAfter(row, report.domain, now),
  }
  const same = { phase: row.phase, status, isGone: false, asksForMachine }
  if (report.generation !== row.spec_version) return same
  if (row.phase === 'deleting') return { ...same, isGone: report.phase === 'deleted' }
  switch (report.phase) {
    case 'active':
      return { ...same, phase: 'active', status: { ...status, failure: null } }
    case 'failed':
      return { ...same, phase: 'failed', status: { ...status, failure: report.failure } }
    case 'opening':
    case 'deleted':
      return same
    default:
      return assertNever(report.phase)
  }
}

/** What is said of another host name than the present one is late. */
function domainAfter(
  { spec, status }: Pick<RouteRow, 'spec' | 'status'>,
  reported: RouteReport['domain'],
  now: Date,
): RouteDomain | null {
  const before = status.domain ?? null
  if (before === null || reported === null || reported.host !== spec.customDomain) return before
  const { state, cause } = reported
  return { state, cause, since: state === before.state ? before.since : now.toISOString() }
}
