import type { Event, ResourceKind } from '@hearth/contract'
import { sql } from 'kysely'
import { mostPageBytes } from '../../api/lookup.ts'
import type { Database } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'
import { type EventRow, toEvent } from './table.ts'

export type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null }

const mostAtOnce = 1_000

export interface EventFilter {
  organizationId: string
  kind?: ResourceKind | undefined
  resourceId?: string | undefined
}

/** A part of the log, with where the whole of it begins and ends at the same moment. */
export interface LogPage {
  events: Event[]
  /** The position of the oldest event that is kept, of any organization; that of the next one when none is. */
  oldest: number
  /** The position of the newest event, of any organization; 0 when there never was one. */
  newest: number
  /** Whether more events may fit after those: the page ended at its limit or its bytes. */
  isCut: boolean
}

/** The events after a position that fit, at most `limit`. One statement, so that nothing is removed in between. */
export async function readLog(
  database: Database,
  filter: EventFilter,
  after: number,
  limit: number,
): Promise<LogPage> {
  const fits = sql.join(
    [
      sql`organization_id = ${filter.organizationId}`,
      sql`position > ${String(after)}`,
      ...(filter.kind === undefined ? [] : [sql`kind = ${filter.kind}`]),
      ...(filter.resourceId === undefined ? [] : [sql`resource_id = ${filter.resourceId}`]),
    ],
    sql` AND `,
  )
  const { rows } = await sql<
    { oldest: string | null; newest: string | null; found: number | null } & Nullable<EventRow>
  >`
    SELECT ends.oldest, ends.newest, page.*
    FROM (SELECT min(position) AS oldest, max(position) AS newest FROM events) AS ends
    LEFT JOIN (
      SELECT * FROM (
        SELECT *, (count(*) OVER ())::integer AS found,
          sum(octet_length(resource::text)) OVER (ORDER BY position) - octet_length(resource::text) AS bytes_before
        FROM (SELECT * FROM events WHERE ${fits} ORDER BY position LIMIT ${limit}) AS fitting
      ) AS measured WHERE bytes_before < ${mostPageBytes}
    ) AS page ON true
    ORDER BY page.position`.execute(database)
  const newest = Number(rows[0]?.newest ?? 0)
  const events = presentEvents(rows)
  const found = rows[0]?.found ?? 0
  return {
    events,
    isCut: found === limit || events.length < found,
    oldest: Number(rows[0]?.oldest ?? newest + 1),
    newest,
  }
}

/** What a LEFT JOIN found: where it found none, its one row is empty. */
export function presentEvents(rows: readonly Nullable<EventRow>[]): Event[] {
  return rows.filter((row) => row.id !== null).map((row) => toEvent(row as EventRow))
}

/** The position of the newest event, 0 when there is none. */
export async function newestPosition(database: Database): Promise<number> {
  const row = await database
    .selectFrom('events')
    .select((expression) => expression.fn.max('position').as('position'))
    .executeTakeFirst()
  return Number(row?.position ?? 0)
}

/**
 * Gives committed events their positions, in the order they were written, and notifies the readers. One replica does so
 * at a time. All in one message to PostgreSQL, which is one transaction: the lock first, so that what is counted from
 * is seen after it. What is too much for one transaction is announced again.
 */
export async function assignPositions(database: Database): Promise<void> {
  await sql
    .raw(`
      SELECT pg_advisory_xact_lock(${advisoryLocks.eventPositions});
      WITH positioned AS (
        UPDATE events SET position = counted.position
        FROM (
          SELECT sequence,
            (SELECT coalesce(max(position), 0) FROM events) + row_number() OVER (ORDER BY sequence) AS position
          FROM (SELECT sequence FROM events WHERE position IS NULL ORDER BY sequence LIMIT ${mostAtOnce}) AS waiting
        ) AS counted
        WHERE events.sequence = counted.sequence
        RETURNING events.sequence
      )
      SELECT pg_notify('hearth_events', ''),
        CASE WHEN count(*) = ${mostAtOnce} THEN pg_notify('hearth_outbox', '') END
      FROM positioned HAVING count(*) > 0`)
    .execute(database)
}

export interface Retention {
  /** Events from before are removed. */
  before: Date
  /** Number of newest events that are kept; older ones are removed too. */
  count: number
}

const removedAtOnce = 5_000

/**
 * Removes events whose retention is over, always those with the lowest positions, so that the rest has no gaps. Events
 * that are not published yet stay, and so does the newest one, from which the next position is counted. Returns the
 * number of removed events.
 */
export async function forgetEvents(database: Database, { before, count }: Retention): Promise<number> {
  for (let removed = 0; ; ) {
    const { numAffectedRows = 0n } = await sql`
      WITH ends AS (SELECT min(position) AS oldest, max(position) AS newest FROM events)
      DELETE FROM events USING ends WHERE position <= least(
        greatest(
          coalesce(
            (SELECT position FROM events WHERE position IS NOT NULL AND time >= ${before}
              ORDER BY position LIMIT 1) - 1,
            ends.newest
          ),
          ends.newest - ${count}
        ),
        (SELECT position FROM event_publication),
        ends.newest - 1,
        ends.oldest + ${removedAtOnce - 1}
      )`.execute(database)
    removed += Number(numAffectedRows)
    if (Number(numAffectedRows) < removedAtOnce) return removed
  }
}
