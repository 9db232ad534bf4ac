import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { routeQueries } from '../route/index.ts'
import { type SpaceRow, toSpace } from './table.ts'
import { explain } from './why.ts'

/** Reads what a space depends on, and explains its phase. */
export async function explainSpace(queryable: Queryable, row: SpaceRow): Promise<Explanation> {
  const place = await queryable
    .selectFrom('web_apps')
    .innerJoin('environments', 'environments.id', 'web_apps.environment_id')
    .select(['web_apps.name as app', 'environments.name', 'environments.phase'])
    .where('web_apps.id', '=', row.web_app_id)
    .executeTakeFirstOrThrow()
  const route = row.route_id === null ? undefined : await routeQueries.readById(queryable, row.route_id)
  const current =
    row.current_deployment_id === null
      ? undefined
      : await queryable
          .selectFrom('deployments')
          .select(['name', 'spec'])
          .where('id', '=', row.current_deployment_id)
          .executeTakeFirst()
  const reasons = explain({
    space: toSpace(row),
    webApp: place.app,
    environment: { name: place.name, phase: place.phase },
    route:
      route === undefined
        ? null
        : {
            name: route.name,
            phase: route.phase,
            waitsFor: route.status.waitsFor,
            failure: route.status.failure?.message ?? null,
          },
    current: current === undefined ? null : { name: current.name, displayName: current.spec.displayName },
    refusedCronJobs: row.status.refusedCronJobs,
  })
  return { kind: 'Space', id: row.id, name: row.name, phase: row.phase, ...reasons }
}
