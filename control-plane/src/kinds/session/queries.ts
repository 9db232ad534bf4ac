import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { SessionRow } from './table.ts'

/** No two sessions of an organization have the same name, so that it says which one is meant. */
export const sessions = resourceQueries('sessions', { noun: 'session', names: 'unique' })

/**
 * The number of the next change of a session of the organization. Its row stays locked until the transaction ends, so that
 * the numbers are in the order of the commits. To be taken after a session's own row is locked, and for one session alone.
 */
export async function nextRevision(tx: DatabaseTransaction, organizationId: string): Promise<string> {
  const { rows } = await sql<{ revision: string }>`
    INSERT INTO session_revisions AS counter (organization_id, revision) VALUES (${organizationId}, 1)
    ON CONFLICT (organization_id) DO UPDATE SET revision = counter.revision + 1
    RETURNING revision`.execute(tx)
  const [row] = rows
  if (row === undefined) throw new Error(`organization ${organizationId} has no revision`)
  return row.revision
}

/** Has what Hearth knows of a session's lease, without a change that anybody is told of. */
export async function extendLease(tx: DatabaseTransaction, id: string, until: Date): Promise<SessionRow> {
  return tx
    .updateTable('sessions')
    .set({ lease_ends_at: until })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Ended sessions that are over their time, or too many of their organization, the oldest first. */
export async function sessionsToForget(
  queryable: Queryable,
  { before, keep, limit }: { before: Date; keep: number; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM (
      SELECT id, phase_since, row_number() OVER (PARTITION BY organization_id ORDER BY phase_since DESC, id DESC) AS place
      FROM sessions WHERE phase = 'ended'
    ) AS ended
    WHERE phase_since < ${before} OR place > ${keep}
    ORDER BY phase_since LIMIT ${limit}`.execute(queryable)
  return rows.map(({ id }) => id)
}
