import type { Event } from '@hearth/contract'
import { goBackTo, markPublished, noteStream, type Publication, publicationOf } from '../kinds/event/index.ts'
import { rewindObservers } from '../kinds/observer/index.ts'
import { carryInOrder } from './in-order.ts'
import type { PublisherOptions, Round } from './publisher.ts'

/**
 * Publishes events that have their position. Where NATS has forgotten what it said it had stored, since its disk was
 * not what it had been or its servers disagreed, that is published again.
 */
export class EventPublisher {
  /** The connection in which the stream was last held against what is known of it. */
  private checkedSession: number | null = null
  /** Where the stream was found to end though more of it had been stored. */
  private fallenTo: number | null = null

  constructor(
    private readonly options: Pick<PublisherOptions, 'database' | 'messaging' | 'metrics' | 'clock' | 'log'>,
  ) {}

  /** One round, to the stream of that name. Returns how many events it is done with, `most` when more is to be done. */
  async publish({ tx, most, isOver }: Round, stream: string): Promise<number> {
    const { messaging, log } = this.options
    const session = messaging.session()
    let publication = await publicationOf(tx, stream, most)
    if (publication === null) {
      if (await noteStream(tx, stream)) log.warn('NATS has lost its events; what is kept is published again')
      publication = (await publicationOf(tx, stream, most)) ?? { sequence: null, events: [] }
    }
    const { sequence, events } = publication
    await this.check(sequence, session)
    if (this.fallenTo !== null) {
      await this.goBack(tx, this.fallenTo, most)
      return most
    }
    let newest = sequence ?? 0
    const { done, failures } = await carryInOrder(
      events,
      // A repeated publication must not overtake a later one of the same resource.
      ({ resourceId }) => resourceId,
      async (event) => {
        const stored = await messaging.publishEvent(event, { stream, session })
        // Answers come in the order in which the stream has the events.
        if (!stored.duplicate && stored.sequence <= newest) this.noteFall(stored.sequence - 1)
        newest = Math.max(newest, stored.sequence)
      },
      isOver,
    )
    const [failed] = failures
    if (failed !== undefined) {
      const { error, item } = failed
      log.warn({ err: error, eventId: item.id, events: failures.length }, 'could not publish events')
    }
    if (this.fallenTo !== null) {
      await this.goBack(tx, this.fallenTo, most)
      return most
    }
    const open = events.findIndex((event) => !done.has(event))
    const published = open === -1 ? events : events.slice(0, open)
    this.measure(published)
    if (done.size > 0)
      await markPublished(tx, { position: published.at(-1)?.position ?? null, sequence: newest })
    return published.length
  }

  /** Once in each connection: the server behind it may have come back with less than it had. */
  private async check(known: Publication['sequence'], session: number): Promise<void> {
    if (this.fallenTo !== null && known !== null && known <= this.fallenTo) this.fallenTo = null
    if (session === this.checkedSession) return
    if (known !== null) {
      const end = await this.options.messaging.eventStreamEnd()
      if (end < known) this.noteFall(end)
    }
    this.checkedSession = session
  }

  private noteFall(end: number): void {
    this.fallenTo = Math.min(this.fallenTo ?? end, end)
  }

  /**
   * What is left of the stream ends at `end`. Up to a round before the event that stands there all has been stored, since
   * a round begins when that before it is done; the message ids tell what is there already.
   */
  private async goBack(tx: Round['tx'], end: number, most: number): Promise<void> {
    const { database, messaging, clock, log } = this.options
    const last = end === 0 ? null : await messaging.eventPositionAt(end)
    const position = Math.max(0, (last ?? 0) - most)
    log.warn({ end, position }, 'NATS has forgotten events that it had stored; they are published again')
    await rewindObservers(database, messaging, clock, end)
    await goBackTo(tx, { position, sequence: end })
  }

  private measure(published: readonly Event[]): void {
    const { clock, metrics } = this.options
    const now = clock.now().getTime()
    for (const event of published) metrics.publishSeconds.observe((now - Date.parse(event.time)) / 1000)
  }
}
