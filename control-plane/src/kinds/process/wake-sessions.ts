import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import { wakeAll } from '../../reconciling/wake.ts'

/** Has the open sessions look again that are about one of these environments, when something in it has changed. */
export async function wakeSessions(queryable: Queryable, environmentIds: readonly string[]): Promise<void> {
  if (environmentIds.length === 0) return
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM sessions WHERE phase = 'open' AND (environment_id = ANY(${environmentIds}::uuid[])
      OR claim_id IN (SELECT claim_id FROM environments WHERE id = ANY(${environmentIds}::uuid[])))`.execute(
    queryable,
  )
  await wakeAll(
    queryable,
    'session',
    rows.map(({ id }) => id),
  )
}
