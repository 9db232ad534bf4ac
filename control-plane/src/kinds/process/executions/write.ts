import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { ProcessRow } from '../table.ts'

/** Executions kept of each task. */
const mostExecutions = 50

/** Gives the start that was asked for last an id, and forgets the oldest. What has one keeps it. */
export async function noteExecution(
  tx: Queryable,
  { id, kind, request }: Pick<ProcessRow, 'id' | 'kind' | 'request'>,
): Promise<void> {
  if (kind !== 'task' || request === 0) return
  await sql`
    INSERT INTO task_executions (id, task_id, request) VALUES (${newId()}, ${id}, ${request})
    ON CONFLICT (task_id, request) DO NOTHING`.execute(tx)
  if (request > mostExecutions)
    await tx
      .deleteFrom('task_executions')
      .where('task_id', '=', id)
      .where('request', '<=', request - mostExecutions)
      .execute()
}
