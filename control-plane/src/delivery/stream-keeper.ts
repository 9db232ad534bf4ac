import { setTimeout as delay } from 'node:timers/promises'
import { backoff, toError } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'

export interface StreamKeeperOptions {
  messaging: Messaging
  log: Logger
  /** Recreates what the kinds keep in NATS beside the streams. */
  makeAgain: readonly ((signal: AbortSignal) => Promise<void>)[]
  /** Ends the keeper. */
  signal: AbortSignal
}

/**
 * Recreates streams and consumers after a reconnect to NATS, since the server may have come back without its store.
 * Existing ones stay as they are.
 */
export class StreamKeeper {
  private wanted = false
  private isRunning = false

  constructor(private readonly options: StreamKeeperOptions) {}

  /** Starts a check in the background, retried until it succeeds. */
  check(): void {
    this.wanted = true
    if (!this.isRunning) void this.run()
  }

  private async run(): Promise<void> {
    const { log, signal } = this.options
    this.isRunning = true
    for (let attempt = 0; this.wanted && !signal.aborted; ) {
      this.wanted = false
      try {
        await this.makeAll()
        attempt = 0
      } catch (error) {
        if (signal.aborted) break
        log.warn({ err: toError(error) }, 'could not check the streams in NATS; trying again')
        this.wanted = true
        await delay(backoff(attempt++, { first: 100, most: 5_000 }), undefined, { signal }).catch(
          () => undefined,
        )
      }
    }
    this.isRunning = false
  }

  private async makeAll(): Promise<void> {
    const { messaging, makeAgain, signal } = this.options
    await messaging.ensureStreams()
    for (const make of makeAgain) {
      if (signal.aborted) return
      await make(signal)
    }
  }
}
