import type { DatabaseTransaction } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { RouteRow } from '../route/index.ts'
import type { WebAppRow } from './table.ts'

export const webApps = resourceQueries('web_apps', { noun: 'web app', names: 'unique' })

/** The web app on an environment, under lock; the environment must be locked before. */
export async function lockWebAppOf(
  tx: DatabaseTransaction,
  environmentId: string,
): Promise<WebAppRow | undefined> {
  return tx
    .selectFrom('web_apps')
    .selectAll()
    .where('environment_id', '=', environmentId)
    .forUpdate()
    .executeTakeFirst()
}

/** The routes that lead to its spaces, by id. */
export async function readRoutes(
  tx: DatabaseTransaction,
  ids: readonly string[],
): Promise<Map<string, RouteRow>> {
  if (ids.length === 0) return new Map()
  const rows = await tx.selectFrom('routes').selectAll().where('id', 'in', ids).execute()
  return new Map(rows.map((row) => [row.id, row]))
}
