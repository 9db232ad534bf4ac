import { type Event, streams } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Connection } from './connection.ts'
import { manage } from './manage.ts'
import { isNotFound } from './streams.ts'

const patienceMilliseconds = 5_000

/** The stream and the connection that an event is published to. */
export interface EventTarget {
  /** Id of the stream, from `eventStream`. */
  stream: string
  /** Number of the connection in which the stream was checked. */
  session: number
}

/**
 * Tells whether the event stream was replaced: a server that comes back empty gets a new stream without the events
 * published before.
 */
export class EventStream {
  private session = 0
  private created = ''

  constructor(private readonly connection: Connection) {}

  /** Id of the current event stream; asks once per connection. Throws while there is none. */
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

  /** First and last sequence of the stream at this moment; in an empty stream the first is the next sequence. */
  async ends(): Promise<{ first: number; last: number }> {
    const { state } = await manage(this.connection, patienceMilliseconds, (manager) =>
      manager.streams.info(streams.event),
    )
    return { first: state.messages === 0 ? state.last_seq + 1 : state.first_seq, last: state.last_seq }
  }

  /** Id of the event with this sequence in the stream; null when there is none. */
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

  /** Throws `unavailable` when the stream was replaced, or may hold less because the connection has changed. */
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
