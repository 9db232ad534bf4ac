import { mostPageBytes } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { listByName, requireFollowable, toSession } from '../../kinds/session/index.ts'
import {
  type ContinueToken,
  continueOf,
  type ListQuery,
  readContinue,
  resourceVersionOf,
  wholeNumber,
} from './read-query.ts'
import { fieldSelector, labelSelector, type Selects } from './selectors.ts'
import { failure, Refusal } from './status.ts'
import { type TiltSession, toTiltSession } from './translate.ts'

/** Rows that are read at once. */
const readAtOnce = 64
const mostInPage = 500
/** Of a list that is not asked for in pages, which has to be whole. */
const mostBytes = 32 * 1024 * 1024

export interface ListedSessions {
  items: TiltSession[]
  /** From here on the changes of all that was listed can be followed. */
  revision: number
  /** Where the next page begins; null after the last. */
  next: string | null
}

export function selectorOf({ fieldSelector: field, labelSelector: label }: ListQuery): Selects {
  const [byField, byLabel] = [fieldSelector(field), labelSelector(label)]
  return (session) => byField(session) && byLabel(session)
}

/** A list, or a page of one. */
export async function listSessions(
  { database }: Pick<Services, 'database'>,
  organizationId: string,
  query: ListQuery,
): Promise<ListedSessions> {
  const selects = selectorOf(query)
  const limit = wholeNumber('limit', query.limit)
  const token = readContinue(query.continue)
  // What has changed since the first page is followed from there.
  if (token !== null) await requireFollowable(database, organizationId, token.revision)
  const items: TiltSession[] = []
  let bytes = 0
  let after = token?.after
  for await (const { session, revision, isLast } of eachSession(database, organizationId, token)) {
    refuseOther(query, revision)
    if (session === null) return { items, revision, next: null }
    after = session.metadata.name
    if (selects(session)) {
      items.push(session)
      bytes += Buffer.byteLength(JSON.stringify(session))
    }
    const isFull = limit !== null && (items.length >= Math.min(limit, mostInPage) || bytes >= mostPageBytes)
    if (isFull || isLast) return { items, revision, next: isLast ? null : continueOf({ revision, after }) }
    if (bytes > mostBytes)
      throw new Refusal(failure(413, 'RequestEntityTooLarge', 'too large: ask with a limit'))
  }
  throw new Error('a list has no end')
}

interface Found {
  /** null in a list of none. */
  session: TiltSession | null
  /** As of the first that was read, or of the token. */
  revision: number
  isLast: boolean
}

/** All sessions after the token, in the order of their names. At least one is found, which may be null. */
export async function* eachSession(
  database: Services['database'],
  organizationId: string,
  token: ContinueToken | null = null,
): AsyncGenerator<Found> {
  let after = token?.after
  let first = token?.revision
  for (;;) {
    const page = await listByName(database, { organizationId }, { after, limit: readAtOnce + 1 })
    first ??= page.revision
    const revision = first
    const rows = page.rows.slice(0, readAtOnce)
    const isEnd = page.rows.length <= readAtOnce
    if (rows.length === 0) yield { session: null, revision, isLast: true }
    for (const [index, row] of rows.entries()) {
      yield { session: toTiltSession(toSession(row)), revision, isLast: isEnd && index === rows.length - 1 }
    }
    if (isEnd) return
    after = rows.at(-1)?.name
  }
}

/** Refuses to answer with another version than was asked for: an older one is not kept, a newer one is not there. */
function refuseOther({ resourceVersion, resourceVersionMatch }: ListQuery, revision: number): void {
  const wanted = resourceVersionOf(resourceVersion)
  const isExact = resourceVersionMatch === 'Exact'
  if (wanted === null || (isExact ? wanted === revision : wanted <= revision)) return
  const what = wanted > revision ? 'too new' : 'too old'
  throw new Refusal(failure(410, 'Expired', `${what} resource version: ${wanted} (${revision})`))
}
