/** Remembers one ring, so that an event between a check and the wait is not missed. */
export class Doorbell {
  private rung = false
  private answer: (() => void) | null = null

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.ring(), { once: true })
  }

  ring(): void {
    this.rung = true
    this.answer?.()
  }

  /** True when it rang, false when the time passed first. */
  async wait(milliseconds: number): Promise<boolean> {
    if (!this.rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        this.answer = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const { rung } = this
    this.rung = false
    this.answer = null
    return rung
  }
}
