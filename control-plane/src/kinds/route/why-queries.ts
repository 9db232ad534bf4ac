import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { type RouteRow, toRoute } from './table.ts'
import { explain } from './why.ts'

/** Reads what a route depends on, and explains its phase. */
export async function explainRoute(queryable: Queryable, row: RouteRow): Promise<Explanation> {
  const place = await queryable
    .selectFrom('environments')
    .leftJoin('runners', 'runners.id', 'environments.runner_id')
    .select(['environments.name', 'environments.phase', 'runners.name as runner'])
    .where('environments.id', '=', row.environment_id)
    .executeTakeFirst()
  const reasons = explain({
    route: toRoute(row),
    environment: { name: place?.name ?? row.environment_id, phase: place?.phase ?? 'gone' },
    runner: place?.runner ?? null,
  })
  return { kind: 'Route', id: row.id, name: row.name, phase: row.phase, ...reasons }
}
