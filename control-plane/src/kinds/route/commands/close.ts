import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { lockRoutes, routeQueries } from '../queries.ts'
import { settleRoutes } from '../reconcile.ts'
import { toRoute } from '../table.ts'

/** Takes routes to an environment away that another resource has made; the environment must have been read under lock. */
export async function closeRoutes(
  tx: DatabaseTransaction,
  environment: EnvironmentRow,
  ids: readonly string[],
  now: Date,
): Promise<void> {
  for (const row of await lockRoutes(tx, ids)) {
    if (row.desired === 'delete' || row.environment_id !== environment.id) continue
    const unwanted = await routeQueries.changeSpec(tx, row.id, { desired: 'delete' })
    await recordEvent(tx, 'updated', toRoute(unwanted))
    await settleRoutes(tx, environment, [unwanted], now)
  }
  await wake(tx, 'route', environment.id)
}
