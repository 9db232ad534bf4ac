import { createHash } from 'node:crypto'
import type { SnapshotOrder } from '@hearth/contract'
import { canonicalJson, seal, toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import type { WantedOrder } from '../../../work/work-kind.ts'
import { readSecrets } from '../../project/index.ts'

/** All holders with what their orders are made of; a deleted snapshot has no holders. */
function selectOrders(queryable: Queryable) {
  return queryable
    .selectFrom('snapshot_holders')
    .innerJoin('snapshots', 'snapshots.id', 'snapshot_holders.snapshot_id')
    .innerJoin('runners', 'runners.id', 'snapshot_holders.runner_id')
    .select([
      'snapshots.id',
      'snapshots.organization_id',
      'snapshots.project_id',
      'snapshots.purpose',
      'snapshots.phase',
      'snapshots.desired_phase',
      'snapshots.spec_version',
      'snapshot_holders.runner_id',
      'snapshot_holders.source',
      'snapshot_holders.report_epoch',
      'snapshot_holders.report_sequence',
      'runners.epoch',
      sql<string | null>`runners.status->'facts'->>'sealingKey'`.as('sealing_key'),
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
  encryption: Encryption,
  wanted: { runnerId: string } | { ids: readonly string[] },
  onUnusable: (snapshotId: string, error: Error) => void,
): Promise<SnapshotOrder[]> {
  if ('ids' in wanted && wanted.ids.length === 0) return []
  const query = selectOrders(queryable)
  const rows = await ('runnerId' in wanted
    ? query.where('snapshot_holders.runner_id', '=', wanted.runnerId)
    : query.where('snapshots.id', 'in', wanted.ids)
  ).execute()
  const orders: SnapshotOrder[] = []
  for (const row of rows) {
    const order = toOrder(row)
    if (order === null) continue
    if (!isSearched(row)) {
      orders.push(order)
      continue
    }
    try {
      // Not part of the digest: sealed twice, the same is another text.
      orders.push({ ...order, sealedForbidden: await sealForbidden(queryable, encryption, row) })
    } catch (thrown) {
      onUnusable(row.id, toError(thrown))
    }
  }
  return orders
}

/** What is built for others is searched for all secrets of its project while it is made. */
const isSearched = ({ purpose, phase }: OrderRow) =>
  purpose === 'prebuild' && (phase === 'pending' || phase === 'creating')

/** Every secret that its project has, for the runner alone; null when there is none to be found. */
async function sealForbidden(
  queryable: Queryable,
  encryption: Encryption,
  row: OrderRow,
): Promise<string | null> {
  const values = await readSecrets(queryable, encryption, row.project_id)
  if (Object.keys(values).length === 0) return null
  if (row.sealing_key === null)
    throw new Error(`runner ${row.runner_id} has no key to seal the secrets to that are to be searched for`)
  return seal(JSON.stringify(values), row.sealing_key, row.id)
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

export async function orderSizes(queryable: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  // Sealing adds a third.
  const { rows } = await sql<{ id: string; bytes: string }>`
    SELECT id, coalesce((SELECT sum(octet_length(value) + octet_length(name)) FROM project_secrets AS secret
      WHERE secret.project_id = row.project_id AND row.purpose = 'prebuild'), 0) * 4 / 3 AS bytes
    FROM snapshots AS row WHERE id = ANY(${ids}::uuid[])`.execute(queryable)
  return new Map(rows.map(({ id, bytes }) => [id, orderBytes + Number(bytes)]))
}
