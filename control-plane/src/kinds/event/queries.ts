import type { Event, ResourceKind } from '@hearth/contract'
import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'
import { type EventRow, toEvent } from './table.ts'

type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null }

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
  const { rows } = await sql<{ oldest: string | null; newest: string | null } & Nullable<EventRow>>`
    SELECT ends.oldest, ends.newest, page.*
    FROM (SELECT min(position) AS oldest, max(position) AS newest FROM events) AS ends
    LEFT JOIN (SELECT * FROM events WHERE ${fits} ORDER BY position LIMIT ${limit}) AS page ON true
    ORDER BY page.position`.execute(database)
  const newest = Number(rows[0]?.newest ?? 0)
  return {
    events: presentEvents(rows),
    oldest: Number(rows[0]?.oldest ?? newest + 1),
    newest,
  }
}

/** What a LEFT JOIN found: where it found none, its one row is empty. */
function presentEvents(rows: readonly Nullable<EventRow>[]): Event[] {
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
 * Gives committed events their positions, in the order they were written, and tells the readers. One replica does so at
 * a time. All in one message to PostgreSQL, which is one transaction: the lock first, so that what is counted from is
 * seen after it. What is too much for one transaction is announced again.
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

/** How far events have been published, and the next of them. */
export interface Publication {
  /** The highest number under which the stream of NATS has stored one; null where none is known. */
  sequence: number | null
  /** Those to publish next, in order. */
  events: Event[]
}

/** null when events were last published to another stream of NATS than this. */
export async function publicationOf(
  tx: DatabaseTransaction,
  stream: string,
  limit: number,
): Promise<Publication | null> {
  const { rows } = await sql<{ stream: string | null; published: string | null } & Nullable<EventRow>>`
    SELECT publication.stream, publication.sequence AS published, page.*
    FROM event_publication AS publication
    LEFT JOIN LATERAL (
      SELECT * FROM events WHERE position > publication.position ORDER BY position LIMIT ${limit}
    ) AS page ON true
    ORDER BY page.position`.execute(tx)
  const [first] = rows
  if (first?.stream !== stream) return null
  const sequence = first.published === null ? null : Number(first.published)
  return { sequence, events: presentEvents(rows) }
}

/** Notes up to which position everything has been published, where that is known, and the highest number it has there. */
export async function markPublished(
  tx: DatabaseTransaction,
  { position, sequence }: { position: number | null; sequence: number },
): Promise<void> {
  await tx
    .updateTable('event_publication')
    .set({ ...(position === null ? {} : { position: String(position) }), sequence: String(sequence) })
    .execute()
}

/** Has everything after a position published again; the stream of NATS has kept what it had up to a number. */
export async function goBackTo(
  tx: DatabaseTransaction,
  { position, sequence }: { position: number; sequence: number },
): Promise<void> {
  await sql`UPDATE event_publication SET position = least(position, ${position}), sequence = ${sequence}`.execute(
    tx,
  )
}

/**
 * Notes which stream of NATS is published to. When it is another than before, all that is kept is to be published
 * again: true.
 */
export async function noteStream(tx: DatabaseTransaction, stream: string): Promise<boolean> {
  const { rows } = await sql<{ again: boolean }>`
    UPDATE event_publication
    SET stream = ${stream}, sequence = NULL, position = CASE WHEN before.stream IS NULL THEN before.position ELSE 0 END
    FROM (SELECT stream, position FROM event_publication) AS before
    WHERE before.stream IS DISTINCT FROM ${stream}
    RETURNING before.stream IS NOT NULL AS again`.execute(tx)
  return rows[0]?.again ?? false
}

export interface Retention {
  /** Events from before are removed. */
  before: Date
  /** As are all but the newest so many. */
  count: number
}

const removedAtOnce = 5_000

/**
 * Removes what has been kept long enough, always the oldest positions, so that what is kept has no holes; never what
 * is not published yet, nor the newest, from which the next position is counted. Returns how many it removed.
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
