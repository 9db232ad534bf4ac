import { setImmediate as nextTurn } from 'node:timers/promises'

/** Bytes of output processed before the event loop is yielded: some milliseconds. */
export const bytesPerTurn = 64 * 1024

/** Keeps a guest that prints without end from blocking the event loop. */
export class Turns {
  private spent = 0

  constructor(private readonly next: () => Promise<void> = nextTurn) {}

  /** Resolves at once, or after yielding to the event loop. */
  async spend(bytes: number): Promise<void> {
    this.spent += bytes
    if (this.spent < bytesPerTurn) return
    this.spent = 0
    await this.next()
  }
}
