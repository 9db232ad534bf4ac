import type { Event } from '@hearth/contract'
import type { Services } from '../../api/services.ts'
import { type EventFilter, eventsAfter } from './queries.ts'

const pageSize = 200
/** Proxies close what is silent for a minute. */
const heartbeatMilliseconds = 15_000

/**
 * Every event after a position, for ever: read from the table, woken by PostgreSQL. Yields null as a heartbeat.
 * Ends when the signal aborts.
 */
export async function* followEvents(
  services: Pick<Services, 'database' | 'notifications'>,
  filter: EventFilter,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Event | null> {
  const doorbell = new Doorbell(signal)
  const stopListening = services.notifications.on('hearth_events', () => doorbell.ring())
  try {
    for (let position = after; !signal.aborted; ) {
      const events = await eventsAfter(services.database, filter, position, pageSize)
      for (const event of events) {
        position = event.position
        yield event
      }
      if (events.length < pageSize && !(await doorbell.wait(heartbeatMilliseconds))) yield null
    }
  } finally {
    stopListening()
  }
}

/** Remembers one ring, so that what happens between a look and the wait is not missed. */
export class Doorbell {
  private rung = false
  private answer: (() => void) | null = null

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.ring(), { once: true })
  }

  ring(): void {
    this.rung = true
    this.answer?.()
  }

  /** True when it rang, false when the time passed first. */
  async wait(milliseconds: number): Promise<boolean> {
    if (!this.rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        this.answer = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const { rung } = this
    this.rung = false
    this.answer = null
    return rung
  }
}
