import { HearthError } from '@hearth/foundation'
import type { Caller } from './caller.ts'

/** Calls `onEnd` once when a token has expired or was revoked; returns a function that stops the watch. */
export type WatchToken = (tokenId: string, onEnd: () => void) => () => void

export interface OpenStream extends Disposable {
  /** Aborts when the token of who opened it has ended. */
  tokenEnded: AbortSignal
}

const retryAfterSeconds = 10

/**
 * The streams and long polls that are open on this control plane: bounded for each principal and each organization, and
 * each of them ends with its token.
 */
export class OpenStreams {
  private readonly counts = new Map<string, number>()

  constructor(private readonly watch: WatchToken) {}

  /** Throws `rate_limited` when there are too many already. What it returns must be disposed of. */
  open(caller: Caller): OpenStream {
    const bounds = [
      { key: caller.principalId, whose: 'you have', limit: caller.limits.principal.streams },
      {
        key: caller.organizationId,
        whose: 'your organization has',
        limit: caller.limits.organization.streams,
      },
    ]
    for (const { key, whose, limit } of bounds) {
      const use = this.counts.get(key) ?? 0
      if (limit === null || use < limit) continue
      throw new HearthError(
        'rate_limited',
        `${whose} ${use} streams open, of ${limit} at most: end one, or read a page at a time`,
        { facts: { quota: 'streams', limit, use, retryAfterSeconds } },
      )
    }
    for (const { key } of bounds) this.add(key, 1)
    const ended = new AbortController()
    const stop = this.watch(caller.tokenId, () => ended.abort())
    let closed = false
    return {
      tokenEnded: ended.signal,
      [Symbol.dispose]: () => {
        if (closed) return
        closed = true
        stop()
        for (const { key } of bounds) this.add(key, -1)
      },
    }
  }

  /** How many a principal or an organization has open here. */
  use(id: string): number {
    return this.counts.get(id) ?? 0
  }

  private add(key: string, change: number): void {
    const count = (this.counts.get(key) ?? 0) + change
    if (count > 0) this.counts.set(key, count)
    else this.counts.delete(key)
  }
}
