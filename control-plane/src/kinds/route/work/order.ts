import { mostRefused, type RouteOrder } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import { digestOfOrder, wantedOrder } from '../../../work/wanted-order.ts'
import type { WantedOrder } from '../../../work/work-kind.ts'

/** All routes that a runner serves, with what their orders are made of. */
function selectOrders(queryable: Queryable) {
  return queryable
    .selectFrom('routes')
    .innerJoin('runners', 'runners.id', 'routes.runner_id')
    .innerJoin('environments', 'environments.id', 'routes.environment_id')
    .select([
      'routes.id',
      'routes.organization_id',
      'routes.environment_id',
      'routes.host',
      'routes.phase',
      'routes.spec',
      'routes.spec_version',
      'routes.status',
      'routes.ticket_key',
      'routes.token_hash',
      'routes.report_epoch',
      'routes.report_sequence',
      'environments.name as machine',
      'runners.id as runner_id',
      'runners.epoch',
      // Tickets were made for their holders, and they have ended since.
      sql<string[]>`ARRAY(SELECT entry.token_id FROM route_entries AS entry
        WHERE entry.route_id = routes.id AND entry.ends_at > now()
          AND NOT EXISTS (SELECT FROM tokens WHERE tokens.id = entry.token_id)
        ORDER BY entry.token_id LIMIT ${sql.lit(mostRefused)})`.as('refused_tokens'),
    ])
    .where('runners.epoch', '>', 0)
    .orderBy('routes.id')
}
type OrderRow = Awaited<ReturnType<ReturnType<typeof selectOrders>['execute']>>[number]

function toOrder(row: OrderRow): RouteOrder & { digest: string } {
  const { wake } = row.status
  const order: RouteOrder = {
    kind: 'route',
    id: row.id,
    organizationId: row.organization_id,
    runnerId: row.runner_id,
    epoch: row.epoch,
    generation: row.spec_version,
    environmentId: row.environment_id,
    machine: row.machine,
    desired: row.phase === 'deleting' ? 'deleted' : 'open',
    // One that has none is not on a runner.
    host: row.host ?? '',
    customDomain: row.spec.customDomain ?? null,
    port: row.spec.port,
    access: row.spec.access,
    ticketKey: row.ticket_key,
    tokenDigest: row.token_hash?.toString('hex') ?? null,
    refusedTokens: row.refused_tokens,
    wake: wake === null ? null : { id: wake.id, fault: wake.fault },
  }
  // Those without a domain of their own are those of versions that knew none.
  const digest = digestOfOrder({ ...order, customDomain: order.customDomain ?? undefined })
  return { ...order, digest }
}

/** The orders for routes as they are now: all of a runner's, or those named. */
export async function currentOrders(
  queryable: Queryable,
  _: Encryption,
  wanted: { runnerId: string } | { ids: readonly string[] },
): Promise<RouteOrder[]> {
  if ('ids' in wanted && wanted.ids.length === 0) return []
  const query = selectOrders(queryable)
  const rows = await ('runnerId' in wanted
    ? query.where('routes.runner_id', '=', wanted.runnerId)
    : query.where('routes.id', 'in', wanted.ids)
  ).execute()
  return rows.map(toOrder)
}

export async function wantedOrders(
  queryable: Queryable,
  runnerId: string,
): Promise<Map<string, WantedOrder>> {
  const rows = await selectOrders(queryable).where('routes.runner_id', '=', runnerId).execute()
  return new Map(rows.map((row) => wantedOrder(row, toOrder(row).digest)))
}

/** What an order takes without those that it refuses, and each of these. */
const orderBytes = 2_048
const refusedBytes = 40

export async function orderSizes(queryable: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<{ id: string; entries: string }>`
    SELECT routes.id, (SELECT count(*) FROM route_entries WHERE route_id = routes.id) AS entries
    FROM routes WHERE routes.id = ANY(${ids}::uuid[])`.execute(queryable)
  return new Map(rows.map(({ id, entries }) => [id, orderBytes + Number(entries) * refusedBytes]))
}
