import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import { wakeMany } from '../../reconciling/wake.ts'

/**
 * Has the open sessions look again that are about one of these environments, the prebuild that is built on one, the web app
 * that is on it, and the pipeline that runs in it, when something in it has changed.
 */
export async function wakeFollowers(queryable: Queryable, environmentIds: readonly string[]): Promise<void> {
  if (environmentIds.length === 0) return
  const { rows } = await sql<{ kind: 'session' | 'prebuild' | 'web-app' | 'pipeline'; id: string }>`
    SELECT 'session' AS kind, id FROM sessions WHERE phase = 'open' AND (environment_id = ANY(${environmentIds}::uuid[])
      OR claim_id IN (SELECT claim_id FROM environments WHERE id = ANY(${environmentIds}::uuid[])))
    UNION ALL
    SELECT 'prebuild' AS kind, id FROM prebuilds
      WHERE phase = 'running' AND environment_id = ANY(${environmentIds}::uuid[])
    UNION ALL
    SELECT 'web-app' AS kind, id FROM environments WHERE has_web_app AND id = ANY(${environmentIds}::uuid[])
    UNION ALL
    SELECT 'pipeline' AS kind, owner_id AS id FROM environments
      WHERE id = ANY(${environmentIds}::uuid[]) AND owner_kind = 'pipeline'`.execute(queryable)
  await wakeMany(queryable, rows)
}
