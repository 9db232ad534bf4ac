import type { SnapshotOrder } from '@hearth/contract'
import { seal, toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import { digestOfOrder, wantedOrder } from '../../../work/wanted-order.ts'
import type { WantedOrder } from '../../../work/work-kind.ts'
import { readSecrets } from '../../project/index.ts'
import { grantFor, offerFor } from '../copies/grant.ts'

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
      'snapshot_holders.flattening',
      'snapshot_holders.report_epoch',
      'snapshot_holders.report_sequence',
      'runners.epoch',
      sql<string | null>`runners.status->'facts'->>'sealingKey'`.as('sealing_key'),
      // The copies that are made from this runner now.
      sql<{ readerId: string; grantId: string; expiresAt: string }[]>`coalesce((
        SELECT json_agg(json_build_object('readerId', copy.runner_id, 'grantId', copy.source->>'grantId',
          'expiresAt', copy.source->>'endsAt') ORDER BY copy.runner_id)
        FROM snapshot_holders AS copy
        WHERE copy.snapshot_id = snapshots.id AND copy.source->>'runnerId' = snapshot_holders.runner_id::text
          AND copy.source->>'grantId' IS NOT NULL AND copy.phase IN ('pending', 'copying')), '[]')`.as(
        'granted',
      ),
    ])
    .where('runners.epoch', '>', 0)
    .orderBy('snapshots.id')
}
type OrderRow = Awaited<ReturnType<ReturnType<typeof selectOrders>['execute']>>[number]

/** What an order says but for what is sealed, which is another text each time; null where there is nothing to order. */
function toFacts(row: OrderRow) {
  const { source } = row
  // A copy is ordered once it has a grant.
  if (source.kind === 'runner' && source.grantId === null) return null
  const isGivenUp = source.kind === 'runner' && source.isGivenUp
  // What a failed one has left on a host goes.
  const isUnwanted = row.desired_phase === 'deleted' || row.phase === 'failed' || isGivenUp
  return {
    kind: 'snapshot' as const,
    id: row.id,
    organizationId: row.organization_id,
    runnerId: row.runner_id,
    epoch: row.epoch,
    generation: row.spec_version,
    desiredPhase: isUnwanted ? ('deleted' as const) : ('present' as const),
    source:
      source.kind === 'environment'
        ? source
        : { kind: source.kind, runnerId: source.runnerId, grantId: source.grantId, address: source.address },
    // The reader need not know that its grant goes on; the one who serves it does.
    granted: isUnwanted ? [] : row.granted,
    ...(isUnwanted || row.flattening === null ? {} : { flatten: row.flattening.id }),
    sealedForbidden: null,
  }
}
type Facts = NonNullable<ReturnType<typeof toFacts>>

/** Throws where a runner has no key, or another one than can be sealed to. */
function toOrder(row: OrderRow, facts: Facts, encryption: Encryption): SnapshotOrder {
  const { granted: _, ...common } = facts
  const { source } = row
  const offers = facts.granted.map(({ readerId, grantId, expiresAt }) =>
    offerFor(encryption, { snapshotId: row.id, readerId, grantId, expiresAt }, sealingKeyOf(row)),
  )
  const order = {
    ...common,
    digest: digestOfOrder(facts),
    ...(offers.length === 0 ? {} : { grants: offers }),
  }
  if (source.kind === 'environment') return { ...order, source }
  const { runnerId, grantId, endsAt, address } = source
  if (runnerId === null || grantId === null || endsAt === null || address === null)
    throw new Error(`the copy for ${row.runner_id} has no grant`)
  const granted = { snapshotId: row.id, readerId: row.runner_id, grantId, expiresAt: endsAt }
  const grant = grantFor(encryption, granted, address, sealingKeyOf(row))
  return { ...order, source: { kind: 'runner', runnerId, grant } }
}

function sealingKeyOf({ sealing_key, runner_id }: OrderRow): string {
  if (sealing_key === null)
    throw new Error(`runner ${runner_id} has no key that something could be sealed to`)
  return sealing_key
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
    const facts = toFacts(row)
    if (facts === null) continue
    try {
      const order = toOrder(row, facts, encryption)
      const sealedForbidden = isSearched(row) ? await sealForbidden(queryable, encryption, row) : null
      orders.push({ ...order, sealedForbidden })
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
  return seal(JSON.stringify(values), sealingKeyOf(row), row.id)
}

/** What a runner is to have of snapshots, by id. */
export async function wantedOrders(
  queryable: Queryable,
  runnerId: string,
): Promise<Map<string, WantedOrder>> {
  const rows = await selectOrders(queryable).where('snapshot_holders.runner_id', '=', runnerId).execute()
  return new Map(
    rows.flatMap((row) => {
      const facts = toFacts(row)
      return facts === null ? [] : [wantedOrder(row, digestOfOrder(facts))]
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
