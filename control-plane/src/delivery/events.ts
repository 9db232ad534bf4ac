import type { Event } from '@hearth/contract'
import { goBackTo, markPublished, noteStream, publicationOf } from '../kinds/event/index.ts'
import { rewindObservers } from '../kinds/observer/index.ts'
import { type KnownStream, positionBefore, withAnswer, withEnd, withRecord } from './forgotten.ts'
import { carryInOrder } from './in-order.ts'
import type { PublisherOptions, Round } from './publisher.ts'

/**
 * Publishes events that have their position. Where NATS has forgotten what it said it had stored, since its disk was
 * not what it had been or its servers disagreed, that is published again.
 */
export class EventPublisher {
  /** The connection in which the stream was last held against what is known of it. */
  private checkedSession: number | null = null
  private known: KnownStream = { told: 0, fallenTo: null }

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
    this.known = withRecord(this.known, sequence)
    await this.check(session)
    if (await this.wentBack(tx, most)) return most
    const { done, failures } = await carryInOrder(
      events,
      // A repeated publication must not overtake a later one of the same resource.
      ({ resourceId }) => resourceId,
      async (event) => {
        const stored = await messaging.publishEvent(event, { stream, session })
        this.known = withAnswer(this.known, stored)
      },
      isOver,
    )
    const [failed] = failures
    if (failed !== undefined) {
      const { error, item } = failed
      log.warn({ err: error, eventId: item.id, events: failures.length }, 'could not publish events')
    }
    if (await this.wentBack(tx, most)) return most
    const open = events.findIndex((event) => !done.has(event))
    const published = open === -1 ? events : events.slice(0, open)
    this.measure(published)
    if (done.size > 0)
      await markPublished(tx, { position: published.at(-1)?.position ?? null, sequence: this.known.told })
    return published.length
  }

  /** Once in each connection: the server behind it may have come back with less than it had. */
  private async check(session: number): Promise<void> {
    if (session === this.checkedSession) return
    if (this.known.told > 0) this.known = withEnd(this.known, await this.options.messaging.eventStreamEnd())
    this.checkedSession = session
  }

  /** True when the stream had fallen: what it has lost is to be published again, in the next rounds. */
  private async wentBack(tx: Round['tx'], most: number): Promise<boolean> {
    const { database, messaging, clock, log } = this.options
    const end = this.known.fallenTo
    if (end === null) return false
    const last = end === 0 ? null : await messaging.eventPositionAt(end)
    const position = positionBefore(last, most)
    log.warn({ end, position }, 'NATS has forgotten events that it had stored; they are published again')
    // Before the numbers that are gone are given anew, which an observer that had read them would pass over.
    await rewindObservers(database, messaging, clock, end)
    await goBackTo(tx, { position, sequence: end })
    return true
  }

  private measure(published: readonly Event[]): void {
    const { clock, metrics } = this.options
    const now = clock.now().getTime()
    for (const event of published) metrics.publishSeconds.observe((now - Date.parse(event.time)) / 1000)
  }
}
