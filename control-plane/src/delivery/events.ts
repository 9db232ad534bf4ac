import { markPublished, noteStream, unpublishedEvents } from '../kinds/event/index.ts'
import { carryInOrder } from './in-order.ts'
import type { PublisherOptions, Round } from './publisher.ts'

/** Publishes events that have their position to the stream of that name. Returns how many it is done with. */
export async function publishEvents(
  { tx, most, isOver }: Round,
  stream: string,
  { messaging, metrics, clock, log }: Pick<PublisherOptions, 'messaging' | 'metrics' | 'clock' | 'log'>,
): Promise<number> {
  let events = await unpublishedEvents(tx, stream, most)
  if (events === null) {
    if (await noteStream(tx, stream)) log.warn('NATS has lost its events; what is kept is published again')
    events = (await unpublishedEvents(tx, stream, most)) ?? []
  }
  const { done, failures } = await carryInOrder(
    events,
    // A repeated publication must not overtake a later one of the same resource.
    ({ resourceId }) => resourceId,
    (event) => messaging.publishEvent(event, stream),
    isOver,
  )
  for (const { item, error } of failures)
    log.warn({ err: error, eventId: item.id }, 'could not publish an event')
  const open = events.findIndex((event) => !done.has(event))
  const published = open === -1 ? events : events.slice(0, open)
  const now = clock.now().getTime()
  for (const event of published) metrics.publishSeconds.observe((now - Date.parse(event.time)) / 1000)
  const last = published.at(-1)
  if (last !== undefined) await markPublished(tx, last.position)
  return published.length
}
