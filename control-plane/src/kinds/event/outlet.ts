/** Bounds of an observer's send buffer. */
export interface OutletBounds {
  bytes: number
  messages: number
  /** How long the send buffer may stay full, in milliseconds. */
  stall: number
}

/** One connection of an observer, whatever its protocol. */
export interface ObserverConnection {
  /** Settles once the text has left this process, or the connection is gone. */
  send(text: string): Promise<unknown>
}

/** Sends texts in order to an observer that may be slow, through a bounded send buffer. */
export class Outlet {
  private bytes = 0
  private messages = 0
  private whenRoom: (() => void) | null = null

  constructor(
    private readonly connection: ObserverConnection,
    private readonly bounds: OutletBounds,
  ) {}

  /** Resolves as soon as there is room for another text: true; or false when the observer has made none in time. */
  async write(text: string): Promise<boolean> {
    const bytes = Buffer.byteLength(text)
    this.bytes += bytes
    this.messages += 1
    const left = () => {
      this.bytes -= bytes
      this.messages -= 1
      if (this.hasRoom()) this.whenRoom?.()
    }
    this.connection.send(text).then(left, left)
    if (this.hasRoom()) return true
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.bounds.stall)
      this.whenRoom = () => {
        clearTimeout(timer)
        this.whenRoom = null
        resolve(true)
      }
    })
  }

  /** How much is in the send buffer. */
  waiting(): { bytes: number; messages: number } {
    return { bytes: this.bytes, messages: this.messages }
  }

  private hasRoom(): boolean {
    return this.bytes < this.bounds.bytes && this.messages < this.bounds.messages
  }
}
