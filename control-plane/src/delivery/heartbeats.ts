import { setTimeout as delay } from 'node:timers/promises'
import type { Presence } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import { isAboutContent } from '../database/statement-failure.ts'
import { isOlderBeat } from './newer-beat.ts'

interface HeartbeatOptions {
  note(presences: readonly Presence[]): Promise<void>
  /** How long heartbeats are collected before they are written together; short compared with a lease. */
  gatherMilliseconds: number
  log: Logger
  /** Called for each heartbeat that PostgreSQL refuses even alone. */
  onUnusable(presence: Presence, error: Error): void
}

/**
 * Batches the newest heartbeat of each runner, so that hundreds of runners cost a few statements a second. A heartbeat
 * that cannot be written affects its own runner only.
 */
export class Heartbeats {
  private gathered = new Map<string, Presence>()
  private noting: Promise<void> | null = null

  constructor(private readonly options: HeartbeatOptions) {}

  /** Resolves when the heartbeat was written or given up: the next one comes soon. */
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

  /** Writes a batch; when one heartbeat's content makes it fail, tries each half by itself. */
  private async note(presences: readonly Presence[]): Promise<void> {
    const { note, log, onUnusable } = this.options
    try {
      await note(presences)
    } catch (thrown) {
      const error = toError(thrown)
      const [first] = presences
      if (first === undefined || !isAboutContent(error)) {
        log.warn({ err: error, heartbeats: presences.length }, 'could not store heartbeats')
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
