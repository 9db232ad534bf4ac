import { isDeepStrictEqual } from 'node:util'
import type { RouteReport } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../../database/connection.ts'
import { transact } from '../../../database/transact.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { judgeReport } from '../../../work/report-worth.ts'
import { readEpochs } from '../../../work/runner-epochs.ts'
import type { ReportOutcome } from '../../../work/work-kind.ts'
import { lockRoutes, routeQueries } from '../queries.ts'
import { type RouteRow, toRoute } from '../table.ts'
import { removeRoute } from '../write.ts'
import { afterReport } from './report.ts'

/** Commits reports together, those of one route in the order given; stale and repeated ones change nothing. */
export async function applyReports(
  database: Database,
  clock: Clock,
  reports: readonly RouteReport[],
): Promise<ReportOutcome[]> {
  return transact(database, async (tx) => {
    const now = clock.now()
    const rows = await lockRoutes(tx, [...new Set(reports.map(({ id }) => id))])
    const byId = new Map(rows.map((row) => [row.id, row]))
    const epochs = await readEpochs(
      tx,
      rows.map(({ runner_id }) => runner_id),
    )
    const outcomes: ReportOutcome[] = []
    for (const report of reports) {
      const row = byId.get(report.id)
      const epoch = row?.runner_id == null ? null : (epochs.get(row.runner_id) ?? null)
      const outcome = row === undefined ? 'refused' : judgeReport(row, epoch, report)
      outcomes.push(outcome)
      if (row === undefined || outcome !== 'applied') continue
      const after = await apply(tx, row, report, now)
      if (after === null) byId.delete(row.id)
      else byId.set(row.id, after)
    }
    return outcomes
  })
}

/** Resolves with the row after the report; null when the route is gone. */
async function apply(
  tx: DatabaseTransaction,
  row: RouteRow,
  report: RouteReport,
  now: Date,
): Promise<RouteRow | null> {
  const { phase, status, isGone, asksForMachine } = afterReport(row, report, now)
  if (isGone) {
    await removeRoute(tx, row)
    return null
  }
  // Its machine is started where the environment is locked.
  if (asksForMachine) await wake(tx, 'route', row.environment_id)
  if (!isDeepStrictEqual(status.domain, row.status.domain)) await wake(tx, 'web-app', row.environment_id)
  const placed = { report_epoch: report.epoch, report_sequence: `${report.sequence}` }
  const moves = phase !== row.phase
  if (!moves && isDeepStrictEqual(status, row.status)) {
    await tx.updateTable('routes').set(placed).where('id', '=', row.id).execute()
    return { ...row, ...placed }
  }
  const changed = await routeQueries.changeStatus(tx, row.id, {
    ...placed,
    phase,
    status,
    ...(moves ? { phase_since: now, deadline: null } : {}),
  })
  await recordEvent(tx, 'updated', toRoute(changed))
  return changed
}

/** Records at the route that a report of its runner was dropped. */
export async function recordDropped(
  database: Database,
  _: Clock,
  report: RouteReport,
  cause: string,
): Promise<void> {
  const message = `a report of the runner (phase ${report.phase}, sequence ${report.sequence}) was dropped: ${cause}`
  await transact(database, async (tx) => {
    const [row] = await lockRoutes(tx, [report.id])
    if (row === undefined || row.runner_id !== report.runnerId) return
    const status = { ...row.status, failure: { code: 'internal' as const, message } }
    const changed = await routeQueries.changeStatus(tx, row.id, { status })
    await recordEvent(tx, 'updated', toRoute(changed))
  })
}
