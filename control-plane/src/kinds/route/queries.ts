import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { RouteRow } from './table.ts'

export const routeQueries = resourceQueries('routes', { noun: 'route', names: 'unique' })

/** Locks the routes to an environment, always in the same order. */
export async function lockRoutesOf(tx: DatabaseTransaction, environmentId: string): Promise<RouteRow[]> {
  return tx
    .selectFrom('routes')
    .selectAll()
    .where('environment_id', '=', environmentId)
    .orderBy('id')
    .forUpdate()
    .execute()
}

export async function lockRoutes(tx: DatabaseTransaction, ids: readonly string[]): Promise<RouteRow[]> {
  if (ids.length === 0) return []
  return tx.selectFrom('routes').selectAll().where('id', 'in', ids).orderBy('id').forUpdate().execute()
}

/** Whether another route has the host name, of whatever organization. */
export async function isHostTaken(queryable: Queryable, host: string, routeId: string): Promise<boolean> {
  const other = await queryable
    .selectFrom('routes')
    .select('id')
    .where('host', '=', host)
    .where('id', '<>', routeId)
    .executeTakeFirst()
  return other !== undefined
}

export async function countRoutes(
  queryable: Queryable,
  of: { environmentId: string } | { runnerId: string },
): Promise<number> {
  const query = queryable.selectFrom('routes').select(({ fn }) => fn.countAll<string>().as('count'))
  const { count } = await ('runnerId' in of
    ? query.where('runner_id', '=', of.runnerId)
    : query.where('environment_id', '=', of.environmentId)
  ).executeTakeFirstOrThrow()
  return Number(count)
}

/** Environments whose routes wait for their runner, or have failed: what they wait for may be there. */
export async function environmentsThatWait(queryable: Queryable): Promise<string[]> {
  const rows = await queryable
    .selectFrom('routes')
    .select('environment_id')
    .distinct()
    .where('phase', 'in', ['pending', 'failed'])
    .execute()
  return rows.map(({ environment_id }) => environment_id)
}

/** Notes that the holder of a token was given a ticket, and what it lets in ends then. */
export async function noteEntry(
  tx: DatabaseTransaction,
  routeId: string,
  tokenId: string,
  endsAt: Date,
): Promise<void> {
  await sql`
    INSERT INTO route_entries (route_id, token_id, ends_at) VALUES (${routeId}, ${tokenId}, ${endsAt})
    ON CONFLICT (route_id, token_id) DO UPDATE SET ends_at = greatest(route_entries.ends_at, excluded.ends_at)
  `.execute(tx)
}

/** Routes that were entered by tickets of tokens that have ended since, with the runner that serves them. */
export async function routesToClose(queryable: Queryable): Promise<{ id: string; runnerId: string }[]> {
  const { rows } = await sql<{ id: string; runner_id: string }>`
    SELECT DISTINCT routes.id, routes.runner_id FROM routes
    JOIN route_entries AS entry ON entry.route_id = routes.id AND entry.ends_at > now()
    WHERE routes.runner_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM tokens WHERE tokens.id = entry.token_id)`.execute(queryable)
  return rows.map(({ id, runner_id }) => ({ id, runnerId: runner_id }))
}

export async function forgetEntries(queryable: Queryable): Promise<void> {
  await sql`DELETE FROM route_entries WHERE ends_at < now()`.execute(queryable)
}
