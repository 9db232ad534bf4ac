import type { Event, Gap, StreamMessage } from '@hearth/contract'
import type { Services } from '../../api/services.ts'
import { Doorbell } from './doorbell.ts'
import { type EventFilter, type LogPage, readLog } from './queries.ts'

const pageSize = 100

type Following = Pick<Services, 'database' | 'eventBells' | 'timings'>

/**
 * Every event after a position, for ever: read from the table, woken when its organization has new ones. Begins with the position, and tells
 * it again while nothing happens. Ends when the signal aborts, or with a gap when the next events are gone.
 */
export async function* followLog(
  services: Following,
  filter: EventFilter,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<StreamMessage> {
  const doorbell = new Doorbell(signal)
  const stopListening = services.eventBells.on(filter.organizationId, () => doorbell.ring())
  try {
    yield { type: 'position', position: after }
    let rang = true
    for (let position = after; !signal.aborted; ) {
      const page = await readLog(services.database, filter, position, pageSize)
      const gap = gapAfter(position, page)
      if (gap !== null) {
        yield gap
        return
      }
      for (const event of page.events) {
        yield { type: 'event', event }
        position = event.position
      }
      if (page.isCut) continue
      position = Math.max(position, page.newest)
      if (!rang) yield { type: 'position', position }
      rang = await doorbell.wait(services.timings.eventHeartbeat)
    }
  } finally {
    stopListening()
  }
}

/** The events of `followLog` alone; null while nothing happens. */
export async function* followEvents(
  services: Following,
  filter: EventFilter,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Event | null> {
  for await (const message of followLog(services, filter, after, signal)) {
    yield message.type === 'event' ? message.event : null
  }
}

/**
 * What is missing between a position and what the log still holds; null when nothing is. A position that the log has
 * not reached is of another log, as after a restored backup: the events it stood for are unknown.
 */
export function gapAfter(
  position: number,
  { oldest, newest }: Pick<LogPage, 'oldest' | 'newest'>,
): Gap | null {
  if (position > newest) return { type: 'gap', asked: position, position: newest, oldest }
  if (position < oldest - 1) return { type: 'gap', asked: position, position: oldest - 1, oldest }
  return null
}
