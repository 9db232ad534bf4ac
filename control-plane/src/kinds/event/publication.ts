import type { Event } from '@hearth/contract'
import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../../database/connection.ts'
import { type Nullable, presentEvents } from './queries.ts'
import type { EventRow } from './table.ts'

/** The newest known message of the stream. */
export interface Checkpoint {
  /** Its sequence in the stream. */
  sequence: number
  /** Of the event in it. */
  eventId: string
}

/** How far events have been published, and the next of them. */
export interface Publication {
  /** All that counts as published is stored under numbers up to this one; null where nothing is known of the stream. */
  checkpoint: Checkpoint | null
  /** Events to publish next, in order. */
  events: Event[]
  /** Whether the list was cut at its size limit, so that more events wait. */
  isCut: boolean
}

/** Size limit, in bytes of JSON, of the events read at once; at least one is read. */
export const mostPublishedBytes = 8 * 1024 * 1024

/** Minimum time between kept checkpoints: a newer one replaces one that came sooner. */
const betweenCheckpointsMilliseconds = 1_000
/**
 * Most checkpoints kept: hours of a busy stream. After a loss of more than that, all events that are kept are published
 * again.
 */
const mostCheckpoints = 10_000

/** null when events were last published to another stream of NATS than this. */
export async function publicationOf(
  tx: DatabaseTransaction,
  stream: string,
  limit: number,
): Promise<Publication | null> {
  const { rows } = await sql<
    {
      stream: string | null
      checkpoint: string | null
      checkpoint_event: string | null
      found: number | null
    } & Nullable<EventRow>
  >`
    SELECT publication.stream, newest.sequence AS checkpoint, newest.event_id AS checkpoint_event, page.*
    FROM event_publication AS publication
    LEFT JOIN LATERAL (SELECT * FROM event_checkpoints ORDER BY sequence DESC LIMIT 1) AS newest ON true
    LEFT JOIN LATERAL (
      SELECT * FROM (
        SELECT *, (count(*) OVER ())::integer AS found,
          sum(octet_length(resource::text)) OVER (ORDER BY position) - octet_length(resource::text) AS bytes_before
        FROM (
          SELECT * FROM events WHERE position > publication.position ORDER BY position LIMIT ${limit}
        ) AS waiting
      ) AS measured WHERE bytes_before < ${mostPublishedBytes}
    ) AS page ON true
    ORDER BY page.position`.execute(tx)
  const [first] = rows
  if (first?.stream !== stream) return null
  const { checkpoint: sequence, checkpoint_event: eventId } = first
  const events = presentEvents(rows)
  return {
    checkpoint: sequence === null || eventId === null ? null : { sequence: Number(sequence), eventId },
    events,
    isCut: events.length < (first.found ?? 0),
  }
}

/**
 * Stores the position up to which everything is published (null: no further than before) and the newest known message;
 * the previous one was `former`.
 */
export async function markPublished(
  tx: DatabaseTransaction,
  position: number | null,
  { sequence, eventId }: Checkpoint,
  former: Checkpoint | null,
): Promise<void> {
  await sql`
    WITH published AS (
      UPDATE event_publication SET position = coalesce(${position}, position) RETURNING position
    ), crowded AS (
      DELETE FROM event_checkpoints
      WHERE sequence = ${former?.sequence ?? null} AND sequence <> ${sequence} AND created_at < (
        SELECT before.created_at + ${betweenCheckpointsMilliseconds} * interval '1 millisecond'
        FROM event_checkpoints AS before WHERE before.sequence < ${former?.sequence ?? null}
        ORDER BY before.sequence DESC LIMIT 1
      )
    )
    INSERT INTO event_checkpoints (sequence, event_id, position, created_at)
    SELECT ${sequence}, ${eventId}, published.position, now() FROM published
    ON CONFLICT (sequence) DO UPDATE SET position = excluded.position`.execute(tx)
}

/**
 * Goes back to the newest checkpoint at or before the sequence `end`, so that all later events are published again.
 * Returns that checkpoint.
 */
export async function goBackTo(
  tx: DatabaseTransaction,
  end: number,
): Promise<{ position: number; sequence: number }> {
  await sql`DELETE FROM event_checkpoints WHERE sequence > ${end}`.execute(tx)
  const { rows } = await sql<{ position: string; sequence: string }>`
    WITH newest AS (SELECT sequence, position FROM event_checkpoints ORDER BY sequence DESC LIMIT 1)
    UPDATE event_publication SET position = least(position, coalesce((SELECT position FROM newest), 0))
    RETURNING position, coalesce((SELECT sequence FROM newest), 0) AS sequence`.execute(tx)
  return { position: Number(rows[0]?.position ?? 0), sequence: Number(rows[0]?.sequence ?? 0) }
}

/**
 * Stores the id of the NATS stream that events are published to. Returns true when it is another stream than before, so
 * that all kept events must be published again.
 */
export async function recordStream(tx: DatabaseTransaction, stream: string): Promise<boolean> {
  const { rows } = await sql<{ again: boolean }>`
    UPDATE event_publication
    SET stream = ${stream}, position = CASE WHEN before.stream IS NULL THEN before.position ELSE 0 END
    FROM (SELECT stream, position FROM event_publication) AS before
    WHERE before.stream IS DISTINCT FROM ${stream}
    RETURNING before.stream IS NOT NULL AS again`.execute(tx)
  const again = rows[0]?.again ?? false
  if (again) await sql`DELETE FROM event_checkpoints`.execute(tx)
  return again
}

/** Removes the oldest checkpoints when there are many. */
export async function forgetCheckpoints(database: Database): Promise<void> {
  await sql`
    DELETE FROM event_checkpoints WHERE sequence <= (
      SELECT sequence FROM event_checkpoints ORDER BY sequence DESC OFFSET ${mostCheckpoints} LIMIT 1
    )`.execute(database)
}
