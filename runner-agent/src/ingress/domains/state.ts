import { type DomainState, domainSeconds } from '@hearth/contract'

/** What a look at a custom domain has shown: nothing against it, or why it is not served yet. */
export type SeenDomain =
  | { kind: 'served' }
  /** Its records are somebody's to set. */
  | { kind: 'elsewhere'; cause: string }
  | { kind: 'no-certificate'; cause: string }

/** How a custom domain stands, and when it is looked at next. Times in monotonic milliseconds. */
export interface KnownDomain {
  host: string
  state: DomainState
  cause: string | null
  /** Since when it is not served. */
  since: number
  nextAt: number
  pause: number
}

const firstPause = 2_000
const mostPause = 60_000
/** Records may be changed by whoever has the name, at any time. */
const servedPause = 600_000

export const domainAtFirst = (host: string, now: number): KnownDomain => ({
  host,
  state: 'pending',
  cause: null,
  since: now,
  nextAt: now,
  pause: firstPause,
})

/** How it stands after a look. Pure. */
export function afterLook(before: KnownDomain, seen: SeenDomain, now: number): KnownDomain {
  const { host } = before
  if (seen.kind === 'served')
    return { host, state: 'active', cause: null, since: now, nextAt: now + servedPause, pause: firstPause }
  const since = before.state === 'active' ? now : before.since
  const isLate = now - since >= domainSeconds * 1000
  const state = seen.kind === 'no-certificate' || isLate || before.state === 'failed' ? 'failed' : 'pending'
  return {
    ...{ host, state, cause: seen.cause, since, nextAt: now + before.pause },
    pause: Math.min(before.pause * 2, mostPause),
  }
}
