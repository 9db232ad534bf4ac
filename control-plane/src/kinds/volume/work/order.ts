import type { VolumeOrder } from '@hearth/contract'
import type { Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import { digestOfOrder, wantedOrder } from '../../../work/wanted-order.ts'
import type { WantedOrder } from '../../../work/work-kind.ts'

/** All volumes that are on a host, with what their orders are made of. */
function selectOrders(queryable: Queryable) {
  return queryable
    .selectFrom('volumes')
    .innerJoin('runners', 'runners.id', 'volumes.runner_id')
    .select([
      'volumes.id',
      'volumes.name',
      'volumes.size_mebibytes',
      'volumes.environment_id',
      'volumes.source_id',
      'volumes.phase',
      'volumes.spec',
      'volumes.spec_version',
      'volumes.status',
      'volumes.report_epoch',
      'volumes.report_sequence',
      'runners.id as runner_id',
      'runners.epoch',
    ])
    .where('runners.epoch', '>', 0)
    .orderBy('volumes.id')
}
type OrderRow = Awaited<ReturnType<ReturnType<typeof selectOrders>['execute']>>[number]

function toOrder(row: OrderRow): VolumeOrder & { digest: string } {
  const { mountPath, contentNumber, force } = row.spec
  const order = {
    kind: 'volume' as const,
    id: row.id,
    runnerId: row.runner_id,
    epoch: row.epoch,
    generation: row.spec_version,
    name: row.name,
    desired: row.phase === 'deleting' ? ('deleted' as const) : ('present' as const),
    sizeMebibytes: row.size_mebibytes,
    environmentId: row.environment_id,
    mountPath,
    sourceId: row.source_id,
    contentNumber,
    force,
  }
  const digest = digestOfOrder(order)
  // An agent that has made it knows so: that it is known here too is no news to it.
  return { ...order, isMade: row.status.isMade, digest }
}

/** The orders for volumes as they are now: all of a runner's, or those named. */
export async function currentOrders(
  queryable: Queryable,
  _: Encryption,
  wanted: { runnerId: string } | { ids: readonly string[] },
): Promise<VolumeOrder[]> {
  if ('ids' in wanted && wanted.ids.length === 0) return []
  const query = selectOrders(queryable)
  const rows = await ('runnerId' in wanted
    ? query.where('volumes.runner_id', '=', wanted.runnerId)
    : query.where('volumes.id', 'in', wanted.ids)
  ).execute()
  return rows.map(toOrder)
}

export async function wantedOrders(
  queryable: Queryable,
  runnerId: string,
): Promise<Map<string, WantedOrder>> {
  const rows = await selectOrders(queryable).where('volumes.runner_id', '=', runnerId).execute()
  return new Map(rows.map((row) => wantedOrder(row, toOrder(row).digest)))
}

const orderBytes = 2_048

export async function orderSizes(_: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
  return new Map(ids.map((id) => [id, orderBytes]))
}
