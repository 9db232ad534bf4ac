import type { RouteAccess } from '@hearth/contract'

/** Where requests go: as Caddy dials it, or why they go nowhere now. */
export type Target =
  | { kind: 'on'; dial: string }
  /** The machine can be started. */
  | { kind: 'off' }
  /** It cannot: in words. */
  | { kind: 'gone'; because: string }

/** What a request needs to know of a route. */
export interface ServedRoute {
  id: string
  host: string
  /** A host name of one's own that leads there too. */
  customDomain: string | null
  environmentId: string
  /** Name of the environment. */
  machine: string
  port: number
  access: RouteAccess
  ticketKey: string
  tokenDigest: string | null
  refusedTokens: ReadonlySet<string>
}

/** The machine that a request has asked for. Times in monotonic milliseconds. */
export interface Waking {
  id: string
  since: number
  fault: { because: string; at: number } | null
}
