import type { Event } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { EventTarget } from '@hearth/messaging'
import {
  type Checkpoint,
  goBackTo,
  markPublished,
  noteStream,
  type Publication,
  publicationOf,
} from '../kinds/event/index.ts'
import { type Answer, forgottenAfter, hasForgotten, newestOf } from './forgotten.ts'
import { carryInOrder } from './in-order.ts'
import type { PublisherOptions, Round } from './publisher-options.ts'

type Options = Pick<PublisherOptions, 'messaging' | 'metrics' | 'clock' | 'log' | 'eventsWentBack'>

/** Where a round publishes to. */
export interface RoundTarget extends EventTarget {
  /** Nothing has been published over this connection yet. */
  isNew: boolean
}

/**
 * One round of publishing events that have their position. Where NATS has forgotten what it said it had stored, since
 * its disk was not what it had been or its servers disagreed, that is published again. Returns how many events it is done
 * with, `most` when more is to be done.
 */
export async function publishEvents(round: Round, target: RoundTarget, options: Options): Promise<number> {
  const { tx, most } = round
  const { checkpoint, events, isCut } = await readPublication(round, target, options)
  if (target.isNew) await rewindToEnd(options)
  if (checkpoint !== null && (await wentBack(round, checkpoint, target, options))) return most

  const { done, answers } = await carry(events, round, target, options)
  if (hasForgotten(checkpoint, answers)) {
    options.log.warn('NATS forgets events while they are published; the next round finds out from where')
    return most
  }
  const open = events.findIndex((event) => !done.has(event))
  const published = open === -1 ? events : events.slice(0, open)
  measure(published, options)
  const newest = newestOf(checkpoint, answers)
  if (newest !== null && done.size > 0)
    await markPublished(tx, published.at(-1)?.position ?? null, newest, checkpoint)
  return isCut && published.length === events.length ? most : published.length
}

async function readPublication(
  { tx, most }: Round,
  { stream }: EventTarget,
  { log }: Options,
): Promise<Publication> {
  const publication = await publicationOf(tx, stream, most)
  if (publication !== null) return publication
  if (await noteStream(tx, stream)) log.warn('NATS has lost its events; what is kept is published again')
  return (await publicationOf(tx, stream, most)) ?? { checkpoint: null, events: [], isCut: false }
}

/** The server behind a new connection may hold less than an observer has read, which nobody may have written down. */
async function rewindToEnd({ messaging, eventsWentBack }: Options): Promise<void> {
  const { last } = await messaging.eventStreamEnds()
  await eventsWentBack(last)
}

/** True when the stream has lost something: that is published in the next rounds, which look again first. */
async function wentBack(
  { tx }: Round,
  checkpoint: Checkpoint,
  { isNew }: RoundTarget,
  { messaging, log, eventsWentBack }: Options,
): Promise<boolean> {
  const eventId = await messaging.eventIdAt(checkpoint.sequence)
  if (eventId === checkpoint.eventId) return false
  const { first, last } = await messaging.eventStreamEnds()
  const end = forgottenAfter(checkpoint, { eventId, first, last })
  if (end === null) return false
  const known = await goBackTo(tx, end)
  log.warn({ end, ...known }, 'NATS has forgotten events that it had stored; they are published again')
  // An observer that had read on would pass over what has taken the place of what is gone.
  if (!isNew || end < last) await eventsWentBack(known.sequence)
  return true
}

async function carry(
  events: readonly Event[],
  { isOver }: Round,
  target: EventTarget,
  { messaging, metrics, log }: Options,
): Promise<{ done: ReadonlySet<Event>; answers: readonly Answer[] }> {
  const answers: Answer[] = []
  const { done, failures } = await carryInOrder(
    events,
    // A repeated publication must not overtake a later one of the same resource.
    ({ resourceId }) => resourceId,
    async (event) => {
      try {
        const stored = await messaging.publishEvent(event, target)
        answers.push({ ...stored, eventId: event.id })
      } catch (error) {
        if (!(error instanceof HearthError && error.code === 'too_large')) throw error
        // It would never go, and hold up whatever comes after it: HTTP still has it.
        metrics.messagesSetAside.inc({ kind: 'event' })
        log.error(
          { err: error, eventId: event.id, kind: event.kind, resourceId: event.resourceId },
          'set an event aside: NATS takes none that large',
        )
      }
    },
    isOver,
  )
  const [failed] = failures
  if (failed !== undefined) {
    const { error, item } = failed
    log.warn({ err: error, eventId: item.id, events: failures.length }, 'could not publish events')
  }
  return { done, answers }
}

function measure(published: readonly Event[], { clock, metrics }: Options): void {
  const now = clock.now().getTime()
  for (const event of published) metrics.publishSeconds.observe((now - Date.parse(event.time)) / 1000)
}
