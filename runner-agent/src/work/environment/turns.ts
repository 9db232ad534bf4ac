import { setImmediate as nextTurn } from 'node:timers/promises'

/** Bytes of output that are worked on before everything else has its turn: some milliseconds. */
export const bytesPerTurn = 64 * 1024

/** Keeps a guest that prints without end from holding the event loop. */
export class Turns {
  private spent = 0

  constructor(private readonly next: () => Promise<void> = nextTurn) {}

  /** Resolves at once, or when others have had their turn. */
  async spend(bytes: number): Promise<void> {
    this.spent += bytes
    if (this.spent < bytesPerTurn) return
    this.spent = 0
    await this.next()
  }
}
