import { setTimeout as delay } from 'node:timers/promises'
import { backoff, toError } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'

export interface StreamKeeperOptions {
  messaging: Messaging
  log: Logger
  /** What the kinds have in NATS beside the streams. */
  makeAgain: readonly ((signal: AbortSignal) => Promise<void>)[]
  /** Ends it. */
  signal: AbortSignal
}

/**
 * Makes the streams and every consumer when NATS may have lost them: after a reconnection nobody knows
 * whether the server came back with its store. What is there stays as it is.
 */
export class StreamKeeper {
  private wanted = false
  private isRunning = false

  constructor(private readonly options: StreamKeeperOptions) {}

  /** Returns at once; tries until it is done. */
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
        log.warn({ err: toError(error) }, 'the streams could not be checked yet')
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
