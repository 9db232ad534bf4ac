import type { Event, ResourceKind } from '@hearth/contract'
import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../../database/connection.ts'
import { toEvent } from './table.ts'

/** Any number that no other advisory lock of Hearth uses. */
const sequencerLock = 7_201

export interface EventFilter {
  organizationId: string
  kind?: ResourceKind | undefined
  resourceId?: string | undefined
}

export async function eventsAfter(
  database: Database,
  filter: EventFilter,
  after: number,
  limit: number,
): Promise<Event[]> {
  let query = database
    .selectFrom('events')
    .selectAll()
    .where('organization_id', '=', filter.organizationId)
    .where('position', '>', String(after))
    .orderBy('position')
    .limit(limit)
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind)
  if (filter.resourceId !== undefined) query = query.where('resource_id', '=', filter.resourceId)
  return (await query.execute()).map(toEvent)
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
 * Gives committed events their positions, in the order they were written, and tells the readers.
 * One replica does so at a time; returns how many were placed.
 */
export async function placeEvents(database: Database): Promise<number> {
  return database.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(${sequencerLock})`.execute(tx)
    const { numAffectedRows = 0n } = await sql`
      UPDATE events SET position = placed.position
      FROM (
        SELECT sequence,
          (SELECT coalesce(max(position), 0) FROM events) + row_number() OVER (ORDER BY sequence) AS position
        FROM (SELECT sequence FROM events WHERE position IS NULL ORDER BY sequence LIMIT 1000) AS unplaced
      ) AS placed
      WHERE events.sequence = placed.sequence`.execute(tx)
    if (numAffectedRows > 0n) await sql`SELECT pg_notify('hearth_events', '')`.execute(tx)
    return Number(numAffectedRows)
  })
}

/** The next events to publish, in order. */
export async function unpublishedEvents(tx: DatabaseTransaction, limit: number): Promise<Event[]> {
  const rows = await tx
    .selectFrom('events')
    .selectAll()
    .where('position', '>', (query) => query.selectFrom('event_publication').select('position'))
    .orderBy('position')
    .limit(limit)
    .execute()
  return rows.map(toEvent)
}

/** Notes that everything up to this position has been published. */
export async function markPublished(tx: DatabaseTransaction, position: number): Promise<void> {
  await tx
    .updateTable('event_publication')
    .set({ position: String(position) })
    .execute()
}

/** Removes events older than `before`, but never one that has not been published, nor the newest. */
export async function forgetEvents(database: Database, before: Date): Promise<void> {
  await database
    .deleteFrom('events')
    .where('time', '<', before)
    .where('position', '<=', (query) => query.selectFrom('event_publication').select('position'))
    .where('position', '<', (query) =>
      query.selectFrom('events').select((expression) => expression.fn.max('position').as('newest')),
    )
    .execute()
}
