import type { Event, Session } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Services } from '../../api/services.ts'
import type { Queryable } from '../../database/connection.ts'
import { followEvents } from '../event/index.ts'

export interface SessionChange {
  verb: Event['verb']
  session: Session
}

/**
 * Every change of the organization's sessions after the one with this number, for ever, in order and without a gap; null
 * while nothing happens. Throws `expired` when the next change is not kept any more, or the number is of another log.
 */
export async function* followSessions(
  services: Pick<Services, 'database' | 'eventBells' | 'timings'>,
  organizationId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<SessionChange | null> {
  let seen = after
  const position = await positionAfter(services.database, organizationId, after)
  for await (const event of followEvents(services, { organizationId, kind: 'Session' }, position, signal)) {
    if (event === null) {
      yield null
      continue
    }
    const session = event.resource as unknown as Session
    const { revision } = session.status
    if (revision <= seen) continue
    if (revision !== seen + 1) throw expired(seen)
    seen = revision
    yield { verb: event.verb, session }
  }
  if (!signal.aborted) throw expired(seen)
}

/** Throws `expired` when the changes after this one cannot be followed. */
export async function requireFollowable(
  queryable: Queryable,
  organizationId: string,
  revision: number,
): Promise<void> {
  await positionAfter(queryable, organizationId, revision)
}

/** Where in the log of events the changes after this one begin. */
async function positionAfter(queryable: Queryable, organizationId: string, after: number): Promise<number> {
  const ofSessions = sql`organization_id = ${organizationId} AND kind = 'Session'`
  const revision = sql`(resource->'status'->>'revision')::bigint`
  const { rows } = await sql<{ current: string; is_kept: boolean; position: string }>`
    SELECT
      coalesce((SELECT revision FROM session_revisions WHERE organization_id = ${organizationId}), 0) AS current,
      EXISTS (SELECT 1 FROM events WHERE ${ofSessions} AND ${revision} = ${after + 1}) AS is_kept,
      coalesce(
        (SELECT min(position) FROM events WHERE ${ofSessions} AND ${revision} > ${after}) - 1,
        (SELECT max(position) FROM events),
        0
      ) AS position`.execute(queryable)
  const [found] = rows
  if (found === undefined) throw new Error('a query without FROM has found nothing')
  const current = Number(found.current)
  if (after > current || (after < current && !found.is_kept)) throw expired(after)
  return Number(found.position)
}

const expired = (revision: number) =>
  new HearthError(
    'expired',
    `the changes of sessions after ${revision} are not kept any more: read the list again`,
  )
