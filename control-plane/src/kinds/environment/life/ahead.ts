import { sql } from 'kysely'
import type { Database } from '../../../database/connection.ts'
import { wakeAll } from '../../../reconciling/wake.ts'

/** Has the machines looked at whose life was written by a clock that ran ahead: their timers are as late as it was. */
export async function wakeLivesAhead(database: Database, now: Date): Promise<void> {
  const newest = ['beganAt', 'activeAt', 'watchedAt'].map((time) => sql`(life->>${time})::timestamptz`)
  const rows = await database
    .selectFrom('environments')
    .select('id')
    .where('phase', '<>', 'deleted')
    .where('life', 'is not', null)
    .where(sql<boolean>`greatest(${sql.join(newest)}) > ${now}`)
    .execute()
  const ids = rows.map(({ id }) => id)
  if (ids.length > 0) await wakeAll(database, 'environment', ids)
}
