import { createHash } from 'node:crypto'
import type { SnapshotOrder } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'
import type { Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import type { WantedOrder } from '../../../work/work-kind.ts'

/** All holders with what their orders are made of; a deleted snapshot has no holders. */
function selectOrders(queryable: Queryable) {
  return queryable
    .selectFrom('snapshot_holders')
    .innerJoin('snapshots', 'snapshots.id', 'snapshot_holders.snapshot_id')
    .innerJoin('runners', 'runners.id', 'snapshot_holders.runner_id')
    .select([
      'snapshots.id',
      'snapshots.organization_id',
      'snapshots.phase',
      'snapshots.desired_phase',
      'snapshots.spec_version',
      'snapshot_holders.runner_id',
      'snapshot_holders.source',
      'snapshot_holders.report_epoch',
      'snapshot_holders.report_sequence',
      'runners.epoch',
    ])
    .where('runners.epoch', '>', 0)
    .orderBy('snapshots.id')
}
type OrderRow = Awaited<ReturnType<ReturnType<typeof selectOrders>['execute']>>[number]

function toOrder(row: OrderRow): SnapshotOrder | null {
  // A copy needs leave to read from the other runner, which only its order has.
  if (row.source.kind !== 'environment') return null
  const order: SnapshotOrder = {
    kind: 'snapshot',
    id: row.id,
    organizationId: row.organization_id,
    runnerId: row.runner_id,
    epoch: row.epoch,
    generation: row.spec_version,
    // What a failed one has left on a host goes.
    desiredPhase: row.desired_phase === 'deleted' || row.phase === 'failed' ? 'deleted' : 'present',
    source: row.source,
    sealedForbidden: null,
  }
  return { ...order, digest: digestOf(order) }
}

function digestOf(order: SnapshotOrder): string {
  return createHash('sha256').update(canonicalJson(order)).digest('hex').slice(0, 32)
}

/** The orders for snapshots as they are now: all of a runner's, or those named, one for each holder. */
export async function currentOrders(
  queryable: Queryable,
  _: Encryption,
  wanted: { runnerId: string } | { ids: readonly string[] },
): Promise<SnapshotOrder[]> {
  if ('ids' in wanted && wanted.ids.length === 0) return []
  const query = selectOrders(queryable)
  const rows = await ('runnerId' in wanted
    ? query.where('snapshot_holders.runner_id', '=', wanted.runnerId)
    : query.where('snapshots.id', 'in', wanted.ids)
  ).execute()
  return rows.flatMap((row) => toOrder(row) ?? [])
}

/** What a runner is to have of snapshots, by id. */
export async function wantedOrders(
  queryable: Queryable,
  runnerId: string,
): Promise<Map<string, WantedOrder>> {
  const rows = await selectOrders(queryable).where('snapshot_holders.runner_id', '=', runnerId).execute()
  return new Map(
    rows.flatMap((row) => {
      const order = toOrder(row)
      const reported = { epoch: row.report_epoch, sequence: Number(row.report_sequence) }
      return order === null ? [] : [[row.id, { digest: digestOf(order), reported }]]
    }),
  )
}

const orderBytes = 1_024

export async function orderSizes(_: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
  return new Map(ids.map((id) => [id, orderBytes]))
}
