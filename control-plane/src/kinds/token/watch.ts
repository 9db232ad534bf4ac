import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Database } from '../../database/connection.ts'
import type { Notifications } from '../../database/notifications.ts'
import { goodTokens } from './queries.ts'

/** Poll interval for ended tokens while PostgreSQL notifications do not arrive. */
const lookMilliseconds = 250
/** Bounds what a lost notification could leave standing. */
const restMilliseconds = 10_000

/**
 * Ends open streams when their tokens are revoked, expire, or are deleted with their principal. One query checks all
 * tokens: when PostgreSQL notifies of a changed token, when the next token expires, and at intervals.
 */
export class TokenWatch {
  private readonly watched = new Map<string, Set<() => void>>()
  private timer: NodeJS.Timeout | null = null
  private lookedAt = 0
  private nextExpiry = Number.POSITIVE_INFINITY
  private looking = false
  private lookAgain = false

  constructor(
    private readonly database: Database,
    private readonly notifications: Pick<Notifications, 'on' | 'isConnected'>,
    private readonly log: Logger,
  ) {
    notifications.on('hearth_tokens', () => this.look())
  }

  /** Calls `onEnd` once when the token has ended, also when it had before; returns what stops the watch. */
  watch(tokenId: string, onEnd: () => void): () => void {
    const listeners = this.watched.get(tokenId) ?? new Set()
    this.watched.set(tokenId, listeners.add(onEnd))
    this.timer ??= setInterval(() => this.tick(), lookMilliseconds).unref()
    this.look()
    return () => {
      listeners.delete(onEnd)
      if (listeners.size === 0 && this.watched.get(tokenId) === listeners) this.watched.delete(tokenId)
      if (this.watched.size > 0 || this.timer === null) return
      clearInterval(this.timer)
      this.timer = null
    }
  }

  private tick(): void {
    const rested = performance.now() - this.lookedAt >= restMilliseconds
    if (rested || performance.now() >= this.nextExpiry || !this.notifications.isConnected()) this.look()
  }

  private look(): void {
    if (this.watched.size === 0) return
    this.lookAgain = true
    if (this.looking) return
    this.looking = true
    this.lookUntilDone()
      .catch((error: unknown) =>
        this.log.warn({ err: toError(error) }, 'could not check the tokens of open streams'),
      )
      .finally(() => {
        this.looking = false
      })
  }

  private async lookUntilDone(): Promise<void> {
    while (this.lookAgain) {
      this.lookAgain = false
      const asked = [...this.watched.keys()]
      const good = await goodTokens(this.database, asked)
      this.lookedAt = performance.now()
      this.nextExpiry = Math.min(...[...good.values()].map((left) => this.lookedAt + left))
      for (const id of asked) if (!good.has(id)) this.end(id)
    }
  }

  private end(tokenId: string): void {
    const listeners = this.watched.get(tokenId) ?? new Set()
    this.watched.delete(tokenId)
    for (const onEnd of listeners) onEnd()
  }
}
