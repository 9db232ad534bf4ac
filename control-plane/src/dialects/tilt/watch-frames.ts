import type { Event } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Services } from '../../api/services.ts'
import { followSessions } from '../../kinds/session/index.ts'
import type { Format } from './accept.ts'
import { eachSession } from './list.ts'
import { groupVersion } from './names.ts'
import type { Selects } from './selectors.ts'
import { statusOf } from './status.ts'
import { type IncludedObject, toTable } from './table.ts'
import { type TiltSession, toTiltSession } from './translate.ts'

export interface WatchRequest {
  organizationId: string
  /** Changes after this one; null for all that there is, and then its changes. */
  after: number | null
  selects: Selects
  /** Whether it is told now and then how far it is. */
  hasBookmarks: boolean
  format: Format
  include: IncludedObject
}

const types = { created: 'ADDED', updated: 'MODIFIED', deleted: 'DELETED' } as const satisfies Record<
  Event['verb'],
  string
>

/** What a client that watches reads, line by line. When its next change is not kept any more, that is the last line. */
export async function* watchFrames(
  services: Pick<Services, 'database' | 'eventBells' | 'timings' | 'clock'>,
  request: WatchRequest,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { organizationId, selects, hasBookmarks } = request
  const shown = (type: string, session: TiltSession) =>
    line(type, inFormat(session, request, services.clock.now()))
  let seen = request.after
  if (seen === null) {
    for await (const { session, revision } of eachSession(services.database, organizationId)) {
      seen ??= revision
      if (session !== null && selects(session)) yield shown('ADDED', session)
      if (signal.aborted) return
    }
  }
  let after = seen ?? 0
  try {
    for await (const change of followSessions(services, organizationId, after, signal)) {
      if (change === null) {
        if (hasBookmarks) yield line('BOOKMARK', bookmark(after, request))
        continue
      }
      after = change.session.status.revision
      const session = toTiltSession(change.session)
      if (selects(session)) yield shown(types[change.verb], session)
    }
  } catch (error) {
    if (!(error instanceof HearthError) || error.code !== 'expired') throw error
    yield line('ERROR', statusOf(error))
  }
}

const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`

function inFormat(session: TiltSession, { format, include }: WatchRequest, now: Date): object {
  if (format.as === 'objects') return session
  const { resourceVersion } = session.metadata
  return toTable([session], { resourceVersion }, { apiVersion: format.apiVersion, include, now })
}

/** Says only how far the client has read. */
function bookmark(revision: number, { format }: WatchRequest): object {
  const metadata = { resourceVersion: String(revision) }
  return format.as === 'objects'
    ? { kind: 'Session', apiVersion: groupVersion, metadata: { ...metadata, creationTimestamp: null } }
    : { kind: 'Table', apiVersion: format.apiVersion, metadata, columnDefinitions: [], rows: [] }
}
