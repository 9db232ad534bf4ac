import { streams } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Connection } from './connection.ts'
import { manage } from './manage.ts'

const patienceMilliseconds = 5_000

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

  /** Throws `unavailable` when it is another one by now. */
  async mustBe(stream: string): Promise<void> {
    if ((await this.current()) === stream) return
    throw new HearthError('unavailable', 'NATS has come back with another stream of events')
  }
}
