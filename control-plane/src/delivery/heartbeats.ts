import { setTimeout as delay } from 'node:timers/promises'
import type { Presence } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Logger } from 'pino'

/** Gathers the heartbeats of all runners, so that hundreds cost a few statements a second. */
export class Heartbeats {
  private gathered: Presence[] = []
  private noting: Promise<void> | null = null

  constructor(
    private readonly note: (presences: readonly Presence[]) => Promise<void>,
    /** A heartbeat waits so long, so that many are noted together: little, next to a lease. */
    private readonly gatherMilliseconds: number,
    private readonly log: Logger,
  ) {}

  /** Resolves when it has been noted, or could not be: the next one comes soon. */
  take(presence: Presence): Promise<void> {
    this.gathered.push(presence)
    this.noting ??= this.noteGathered()
    return this.noting
  }

  private async noteGathered(): Promise<void> {
    await delay(this.gatherMilliseconds)
    const presences = this.gathered
    this.gathered = []
    this.noting = null
    try {
      await this.note(presences)
    } catch (error) {
      this.log.warn({ err: toError(error), heartbeats: presences.length }, 'could not note heartbeats')
    }
  }
}
