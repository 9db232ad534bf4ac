import { isDeepStrictEqual } from 'node:util'
import type { RouteReport } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, DatabaseTransaction } from '../../../database/connection.ts'
import { transact } from '../../../database/transact.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { applyInTurn, idsOf } from '../../../work/apply-in-turn.ts'
import { droppedInWords } from '../../../work/dropped-report.ts'
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
    const rows = await lockRoutes(tx, idsOf(reports))
    return applyInTurn(tx, rows, reports, (row, report) => apply(tx, row, report, now))
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
  const message = droppedInWords(report, cause)
  await transact(database, async (tx) => {
    const [row] = await lockRoutes(tx, [report.id])
    if (row === undefined || row.runner_id !== report.runnerId) return
    const status = { ...row.status, failure: { code: 'internal' as const, message } }
    const changed = await routeQueries.changeStatus(tx, row.id, { status })
    await recordEvent(tx, 'updated', toRoute(changed))
  })
}
