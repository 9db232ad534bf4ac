import { isDeepStrictEqual } from 'node:util'
import { type RoutePhase, routeWork } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { requestOrders, requestPurges } from '../../database/outbox.ts'
import { wake } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { routeQueries } from './queries.ts'
import { type RouteRow, type StoredRouteStatus, toRoute } from './table.ts'

export interface RouteChange {
  phase?: RoutePhase
  deadline?: Date | null
  host?: string | null
  runnerId?: string | null
  status?: Partial<StoredRouteStatus>
  now: Date
}

/**
 * The only place that writes how a route stands: the row, its event, and its order where a runner has one. The row must
 * have been read under lock.
 */
export async function changeRouteStatus(
  tx: DatabaseTransaction,
  row: RouteRow,
  { phase = row.phase, now, ...change }: RouteChange,
): Promise<RouteRow> {
  const { deadline = row.deadline, host = row.host, runnerId = row.runner_id } = change
  const changed = await routeQueries.changeStatus(tx, row.id, {
    phase,
    deadline,
    host,
    runner_id: runnerId,
    status: { ...row.status, ...change.status },
    ...(phase === row.phase ? {} : { phase_since: now }),
    // Epochs and sequences are counted by each runner for itself.
    ...(runnerId === row.runner_id ? {} : { report_epoch: 0, report_sequence: '0' }),
  })
  await recordEvent(tx, 'updated', toRoute(changed))
  await orderRoute(tx, row, changed)
  // A space that it leads to says its addresses.
  if (host !== row.host || !isDeepStrictEqual(changed.status.domain, row.status.domain))
    await wake(tx, 'web-app', row.environment_id)
  return changed
}

/** Orders it of its runner, and has another that had it forget it. */
export async function orderRoute(tx: DatabaseTransaction, before: RouteRow, after: RouteRow): Promise<void> {
  const { id } = after
  if (before.runner_id !== null && before.runner_id !== after.runner_id)
    await requestPurges(tx, routeWork.kind, [{ id, runnerId: before.runner_id }])
  if (after.runner_id !== null) await requestOrders(tx, routeWork.kind, [{ id, runnerId: after.runner_id }])
}

export async function removeRoute(tx: DatabaseTransaction, row: RouteRow): Promise<void> {
  if (row.runner_id !== null)
    await requestPurges(tx, routeWork.kind, [{ id: row.id, runnerId: row.runner_id }])
  await routeQueries.remove(tx, row.id)
  await recordEvent(tx, 'deleted', toRoute(row))
  // A space that it led to has no address any more.
  await wake(tx, 'web-app', row.environment_id)
}
