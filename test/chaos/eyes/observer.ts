import { HearthClient } from '@hearth/client'
import type { SeenEvent } from '../check/history.ts'
import { seen } from './seen.ts'

/** Follows all events from the first one, across all reconnects. */
export class Observer {
  readonly events: SeenEvent[] = []
  leaked = false
  private readonly stopping = new AbortController()
  private readonly listening: Promise<void>

  constructor(
    url: string,
    token: string,
    private readonly secret: string,
  ) {
    this.listening = this.listen(new HearthClient({ url, token }))
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.listening
  }

  private async listen(client: HearthClient): Promise<void> {
    // The first connection may fail because of a fault; later ones are reconnected by the client itself.
    while (!this.stopping.signal.aborted) {
      const after = this.events.at(-1)?.position ?? 0
      try {
        for await (const event of client.events.follow({ signal: this.stopping.signal, after })) {
          this.events.push(seen(event))
          this.leaked ||= JSON.stringify(event).includes(this.secret)
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
}
