import type { SessionTarget, TargetReport, TargetState } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

/** What a caller has reported after these reports; targets that they do not name stay as they are. */
export function afterReports(
  before: readonly SessionTarget[],
  reports: readonly TargetReport[],
  now: Date,
): SessionTarget[] {
  const byName = new Map(before.map((target) => [target.name, target]))
  for (const report of reports) byName.set(report.name, afterReport(byName.get(report.name), report, now))
  return [...byName.values()]
}

function afterReport(before: SessionTarget | undefined, report: TargetReport, now: Date): SessionTarget {
  const { name, type, resources } = report
  return {
    name,
    type,
    resources: [...resources],
    state: stateAfter(before?.state ?? { kind: 'none' }, report, now),
  }
}

function stateAfter(before: TargetState, { type, state }: TargetReport, now: Date): TargetState {
  const running = before.kind === 'active' ? before : null
  switch (state.kind) {
    case 'none':
    case 'disabled':
    case 'waiting':
      return state
    case 'active': {
      const startedAt = given(state.startedAt) ?? running?.startedAt ?? now.toISOString()
      // A job is well when it has ended, and never before.
      const ready = state.ready && type === 'server'
      const wasReady = running?.lastReadyAt ?? null
      // While it is ready, it was last ready when it became so.
      const lastReadyAt = ready && running?.ready !== true ? now.toISOString() : wasReady
      return { kind: 'active', startedAt, ready, lastReadyAt }
    }
    case 'terminated': {
      const finishedAt = given(state.finishedAt) ?? now.toISOString()
      const startedAt = given(state.startedAt) ?? running?.startedAt ?? finishedAt
      const error = state.error === '' ? null : state.error
      // A server is to run on: that it has ended is an error, whatever its caller says.
      const shown = error ?? (type === 'server' ? 'it ended, and was to run on' : null)
      return { kind: 'terminated', startedAt, finishedAt, error: shown, grace: null }
    }
    default:
      return assertNever(state)
  }
}

/** To the millisecond, as all times here. */
const given = (time: string | undefined) => (time === undefined ? undefined : new Date(time).toISOString())
