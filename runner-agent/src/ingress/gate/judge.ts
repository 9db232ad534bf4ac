import { createHash, timingSafeEqual } from 'node:crypto'
import { enterPath, ownPath, routeTokenPrefix, type TicketClaims, tokenParameter } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { ServedRoute } from '../served-route.ts'
import { type Session, type Sessions, splitCookies } from './session.ts'
import { openTicket } from './ticket.ts'

/** A request as the proxy shows it. */
export interface ShownRequest {
  method: string
  /** Path and query, as they came. */
  uri: string
  cookie: string
  authorization: string
}

/** What to do with a request, before it is known whether the machine is on. */
export type Judgement =
  | { do: 'pass'; cookie: string; dropsCookie: boolean; dropsAuthorization: boolean }
  /** Let in by a ticket, which serves once. */
  | { do: 'enter'; ticket: TicketClaims }
  /** Let in by the token in the address, which is taken out of it. */
  | { do: 'keep'; session: Session; location: string }
  | { do: 'refuse'; status: 400 | 401 | 403 | 404; because: string }

/** How long the token of a route in an address lets a browser in, in seconds. */
export const tokenSessionSeconds = 8 * 3_600

const digestOf = (token: string) => createHash('sha256').update(token).digest('hex')

/** Whom a route lets in. Pure. */
export function judge(
  route: ServedRoute,
  request: ShownRequest,
  sessions: Sessions,
  nowSeconds: number,
): Judgement {
  const [path = '', query = ''] = splitOnce(request.uri, '?')
  if (!path.startsWith('/')) return { do: 'refuse', status: 400, because: 'the address is not a path' }
  if (path.startsWith(ownPath)) return judgeOwn(route, request, path, query, nowSeconds)
  const { own, others } = splitCookies(request.cookie)
  const bearer = bearerOf(request.authorization)
  const pass: Judgement = {
    do: 'pass',
    cookie: own.length > 0 ? others : '',
    dropsCookie: own.length > 0 && others === '',
    dropsAuthorization: bearer !== null,
  }
  const hasSession = own.some((value) => admits(route, openSession(sessions, value, nowSeconds)))
  switch (route.access) {
    case 'public':
      return pass
    case 'private':
      return hasSession ? pass : { do: 'refuse', status: 401, because: 'private' }
    case 'token': {
      if (bearer !== null && isToken(route, bearer)) return pass
      const given = new URLSearchParams(query).get(tokenParameter)
      if (given !== null && isToken(route, given)) return keepToken(route, request, path, query, nowSeconds)
      return hasSession ? pass : { do: 'refuse', status: 401, because: 'token' }
    }
    default:
      return assertNever(route.access)
  }
}

function judgeOwn(
  route: ServedRoute,
  { method }: ShownRequest,
  path: string,
  query: string,
  nowSeconds: number,
): Judgement {
  const nothing = { do: 'refuse', status: 404, because: 'Hearth has nothing at this address' } as const
  if (path !== enterPath || method !== 'GET') return nothing
  const text = new URLSearchParams(query).get('ticket') ?? ''
  const ticket = readable(() => openTicket(text, route, nowSeconds))
  if (ticket === null || route.refusedTokens.has(ticket.tokenId))
    return { do: 'refuse', status: 403, because: 'ticket' }
  return { do: 'enter', ticket }
}

/** A request with a body cannot be sent on without its token: it is asked to carry it as a header. */
function keepToken(
  route: ServedRoute,
  { method }: ShownRequest,
  path: string,
  query: string,
  nowSeconds: number,
): Judgement {
  if (method !== 'GET' && method !== 'HEAD')
    return {
      do: 'refuse',
      status: 400,
      because: 'the token of a request that is not a GET belongs into the header Authorization: Bearer',
    }
  const left = query.split('&').filter((pair) => splitOnce(pair, '=')[0] !== tokenParameter)
  // An address that begins with two slashes would lead to another host.
  const own = path.replace(/^\/{2,}/, '/')
  return {
    do: 'keep',
    location: left.length === 0 ? own : `${own}?${left.join('&')}`,
    session: {
      routeId: route.id,
      by: { kind: 'token', digest: route.tokenDigest ?? '' },
      endsAt: nowSeconds + tokenSessionSeconds,
    },
  }
}

function admits({ id, access, tokenDigest, refusedTokens }: ServedRoute, session: Session | null): boolean {
  if (session === null || session.routeId !== id) return false
  if (session.by.kind === 'ticket') return !refusedTokens.has(session.by.tokenId)
  return access === 'token' && session.by.digest === tokenDigest
}

const openSession = (sessions: Sessions, value: string, nowSeconds: number) =>
  readable(() => sessions.open(value, nowSeconds))

function isToken({ tokenDigest }: ServedRoute, given: string): boolean {
  if (tokenDigest === null || given.length > 256) return false
  return timingSafeEqual(Buffer.from(digestOf(given)), Buffer.from(tokenDigest))
}

/** The token of a route in the header; null for what is the guest's own. */
function bearerOf(authorization: string): string | null {
  const [, token] = /^Bearer +(\S+)\s*$/i.exec(authorization) ?? []
  return token?.startsWith(routeTokenPrefix) === true ? token : null
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** What a stranger has made up may be no JSON at all. */
function readable<Value>(read: () => Value | null): Value | null {
  try {
    return read()
  } catch {
    return null
  }
}
