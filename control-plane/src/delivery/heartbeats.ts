import { setTimeout as delay } from 'node:timers/promises'
import type { Presence } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import { isAboutContent } from '../database/statement-failure.ts'
import { isOlderBeat } from './newer-beat.ts'

interface HeartbeatOptions {
  note(presences: readonly Presence[]): Promise<void>
  /** A heartbeat waits so long, so that many are noted together: little, next to a lease. */
  gatherMilliseconds: number
  log: Logger
  /** Told of each that cannot be noted, whatever is tried. */
  onUnusable(presence: Presence, error: Error): void
}

/**
 * Gathers the heartbeats of all runners, so that hundreds cost a few statements a second: the newest of each runner. One
 * that cannot be noted costs its own runner and no other.
 */
export class Heartbeats {
  private gathered = new Map<string, Presence>()
  private noting: Promise<void> | null = null

  constructor(private readonly options: HeartbeatOptions) {}

  /** Resolves when it has been noted, or could not be: the next one comes soon. */
  take(presence: Presence): Promise<void> {
    const before = this.gathered.get(presence.runnerId)
    if (before === undefined || !isOlderBeat(presence, before)) this.gathered.set(presence.runnerId, presence)
    this.noting ??= this.noteGathered()
    return this.noting
  }

  private async noteGathered(): Promise<void> {
    await delay(this.options.gatherMilliseconds)
    const presences = [...this.gathered.values()]
    this.gathered = new Map()
    this.noting = null
    await this.note(presences)
  }

  /** Where the whole fails for what one of them says, each half is tried by itself. */
  private async note(presences: readonly Presence[]): Promise<void> {
    const { note, log, onUnusable } = this.options
    try {
      await note(presences)
    } catch (thrown) {
      const error = toError(thrown)
      const [first] = presences
      if (first === undefined || !isAboutContent(error)) {
        log.warn({ err: error, heartbeats: presences.length }, 'could not note heartbeats')
        return
      }
      if (presences.length === 1) {
        onUnusable(first, error)
        return
      }
      const middle = Math.ceil(presences.length / 2)
      await this.note(presences.slice(0, middle))
      await this.note(presences.slice(middle))
    }
  }
}
