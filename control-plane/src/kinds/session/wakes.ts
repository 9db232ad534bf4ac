import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import { wakeAll } from '../../reconciling/wake.ts'

/** Has the open sessions look again that are about an environment, when something in it has changed. */
export async function wakeSessions(queryable: Queryable, environmentId: string): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM sessions WHERE phase = 'open' AND (environment_id = ${environmentId}
      OR claim_id = (SELECT claim_id FROM environments WHERE id = ${environmentId}))`.execute(queryable)
  await wakeAll(
    queryable,
    'session',
    rows.map(({ id }) => id),
  )
}
