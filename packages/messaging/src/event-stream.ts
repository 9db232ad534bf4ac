import { type Event, streams } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Connection } from './connection.ts'
import { manage } from './manage.ts'
import { isNotFound } from './streams.ts'

const patienceMilliseconds = 5_000

/** Where an event is to go. */
export interface EventTarget {
  /** As `eventStream` has told it. */
  stream: string
  /** The connection in which it was looked at. */
  session: number
}

/** Tells one event stream from another: a server that comes back empty gets a new one, which holds nothing. */
export class EventStream {
  private session = 0
  private created = ''

  constructor(private readonly connection: Connection) {}

  /** Which one is there; asks once in each connection. Throws while there is none. */
  async current(): Promise<string> {
    const session = this.connection.session()
    if (session === this.session) return this.created
    const { created } = await manage(this.connection, patienceMilliseconds, (manager) =>
      manager.streams.info(streams.event),
    )
    this.created = created
    this.session = session
    return created
  }

  /** The numbers of its oldest and its newest message, as it is now; with nothing in it the oldest would be the next. */
  async ends(): Promise<{ first: number; last: number }> {
    const { state } = await manage(this.connection, patienceMilliseconds, (manager) =>
      manager.streams.info(streams.event),
    )
    return { first: state.messages === 0 ? state.last_seq + 1 : state.first_seq, last: state.last_seq }
  }

  /** The id of the event that it holds under a number; null when it holds none there. */
  async eventIdAt(sequence: number): Promise<string | null> {
    return manage(this.connection, patienceMilliseconds, async (manager) => {
      try {
        const message = await manager.streams.getMessage(streams.event, { seq: sequence })
        return message === null ? null : message.json<Event>().id
      } catch (thrown) {
        if (isNotFound(thrown)) return null
        throw thrown
      }
    })
  }

  /** Throws `unavailable` when it is another one by now, or may hold less, since another connection leads to it. */
  async mustBe({ stream, session }: EventTarget): Promise<void> {
    if ((await this.current()) !== stream)
      throw new HearthError('unavailable', 'NATS has come back with another stream of events')
    if (this.session !== session)
      throw new HearthError(
        'unavailable',
        'the connection to NATS is another than what was seen of its stream',
      )
  }
}
