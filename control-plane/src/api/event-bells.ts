import { toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Database } from '../database/connection.ts'
import type { Notifications } from '../database/notifications.ts'

/**
 * Wakes the event streams of the organizations that have new events. One query serves all streams of this replica, so
 * the many streams of one organization cost nothing when another organization has an event.
 */
export class EventBells {
  private readonly listeners = new Map<string, Set<() => void>>()
  /** The newest event position read so far; null before the first read. */
  private seen: number | null = null
  private looking = false
  private lookAgain = false

  constructor(
    private readonly database: Database,
    notifications: Pick<Notifications, 'on'>,
    private readonly log: Logger,
  ) {
    notifications.on('hearth_events', () => this.look())
  }

  /** Calls `ring` after new events of the organization; returns what stops it. */
  on(organizationId: string, ring: () => void): () => void {
    const listeners = this.listeners.get(organizationId) ?? new Set()
    this.listeners.set(organizationId, listeners.add(ring))
    return () => {
      listeners.delete(ring)
      if (listeners.size === 0 && this.listeners.get(organizationId) === listeners)
        this.listeners.delete(organizationId)
    }
  }

  private look(): void {
    this.lookAgain = true
    if (this.looking) return
    this.looking = true
    this.lookUntilDone()
      .catch((error: unknown) => {
        this.log.warn({ err: toError(error) }, 'could not look for organizations with new events')
        this.seen = null
        this.ring([...this.listeners.keys()])
      })
      .finally(() => {
        this.looking = false
      })
  }

  private async lookUntilDone(): Promise<void> {
    while (this.lookAgain) {
      this.lookAgain = false
      if (this.listeners.size === 0) {
        this.seen = null
        continue
      }
      const { seen } = this
      if (seen === null) {
        const { rows } = await sql<{
          newest: string | null
        }>`SELECT max(position) AS newest FROM events`.execute(this.database)
        this.seen = Number(rows[0]?.newest ?? 0)
        this.ring([...this.listeners.keys()])
        continue
      }
      const { rows } = await sql<{ organization_id: string; newest: string }>`
        SELECT organization_id, max(position) AS newest FROM events
        WHERE position > ${seen} AND organization_id = ANY(${[...this.listeners.keys()]}::uuid[])
        GROUP BY organization_id`.execute(this.database)
      this.seen = Math.max(seen, ...rows.map(({ newest }) => Number(newest)))
      this.ring(rows.map(({ organization_id }) => organization_id))
    }
  }

  private ring(organizations: readonly string[]): void {
    for (const id of organizations) for (const ring of this.listeners.get(id) ?? []) ring()
  }
}
