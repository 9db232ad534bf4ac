import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { recordEvent } from '../../../resource/record.ts'
import { type EnvironmentRow, environmentColumns, toListedEnvironment } from '../table.ts'
import { keptUntil } from './boot-end.ts'

/**
 * Extends the time an environment is kept for, since somebody is about to enter it. An environment that still boots, or
 * that is kept without an end, is left as it is. The row must have been read under lock.
 */
export async function keepLonger(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<EnvironmentRow> {
  const until = keptUntil(row, now)
  if (row.remove_at === null || until === null || until <= row.remove_at) return row
  const changed = await tx
    .updateTable('environments')
    .set({ remove_at: until, status_version: sql`status_version + 1`, updated_at: now })
    .where('id', '=', row.id)
    .returning(environmentColumns)
    .executeTakeFirstOrThrow()
  await recordEvent(tx, 'updated', toListedEnvironment(changed))
  return changed
}
