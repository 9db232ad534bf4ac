import type { Event } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { EventTarget } from '@hearth/messaging'
import {
  type Checkpoint,
  goBackTo,
  markPublished,
  type Publication,
  publicationOf,
  recordStream,
} from '../kinds/event/index.ts'
import { type Answer, forgottenAfter, hasForgotten, newestOf } from './forgotten.ts'
import { carryInOrder } from './in-order.ts'
import type { PublisherOptions, Round } from './publisher-options.ts'

type Options = Pick<PublisherOptions, 'messaging' | 'metrics' | 'clock' | 'log' | 'eventsWentBack'>

/** Where a round publishes. */
export interface RoundTarget extends EventTarget {
  /** Whether nothing has been published over this connection yet. */
  isNew: boolean
}

/**
 * Publishes one batch of numbered events. Events that NATS acknowledged and then lost, for example with its disk, are
 * published again. Returns how many events are done, `most` when more are waiting.
 */
export async function publishEvents(round: Round, target: RoundTarget, options: Options): Promise<number> {
  const { tx, most } = round
  const { checkpoint, events, isCut } = await readPublication(round, target, options)
  if (target.isNew) await rewindToEnd(options)
  if (checkpoint !== null && (await wentBack(round, checkpoint, target, options))) return most

  const { done, answers } = await carry(events, round, target, options)
  if (hasForgotten(checkpoint, answers)) {
    options.log.warn('NATS lost events while others were published; the next round finds the first lost one')
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
  if (await recordStream(tx, stream))
    log.warn('NATS has lost its event stream; publishing all kept events again')
  return (await publicationOf(tx, stream, most)) ?? { checkpoint: null, events: [], isCut: false }
}

/**
 * After a reconnect the NATS server may hold fewer events than an observer has read, without a checkpoint that shows
 * it: observers are rewound to the end of the stream.
 */
async function rewindToEnd({ messaging, eventsWentBack }: Options): Promise<void> {
  const { last } = await messaging.eventStreamEnds()
  await eventsWentBack(last)
}

/** Whether the stream has lost events; the next rounds publish them again after another check. */
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
  log.warn({ end, ...known }, 'NATS has lost events that it had acknowledged; publishing them again')
  // An observer that had read further would skip the events that are published again under the lost sequence numbers.
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
        // NATS will never accept the event, and it would block all later ones. It can still be read over HTTP.
        metrics.messagesSetAside.inc({ kind: 'event' })
        log.error(
          { err: error, eventId: event.id, kind: event.kind, resourceId: event.resourceId },
          'did not publish an event that is too large for NATS',
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
