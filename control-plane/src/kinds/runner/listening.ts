import type { Clock } from '@hearth/foundation'
import type { ConnectionStatus } from '@hearth/messaging'

/** Since when this control plane hears heartbeats. While it hears none, a runner's silence proves nothing. */
export class Listening {
  private from: Date | null

  constructor(private readonly clock: Clock) {
    this.from = clock.now()
  }

  /** null while there is no connection. */
  get since(): Date | null {
    return this.from
  }

  note(status: ConnectionStatus): void {
    switch (status) {
      case 'disconnected':
      case 'closed':
        this.from = null
        break
      case 'connected':
      case 'reconnected':
        this.from = this.clock.now()
        break
      case 'denied':
        break
      default:
        status satisfies never
    }
  }
}
