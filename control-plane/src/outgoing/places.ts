/** Limits concurrent calls, and the calls that wait, first come, first served. */
export class Places {
  private taken = 0
  private readonly waiting: (() => void)[] = []

  constructor(private readonly bounds: { most: number; mostWaiting: number }) {}

  /** Runs the work when a place is free; null, without running it, when too many wait or `signal` aborts first. */
  async with<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result | null> {
    if (!(await this.enter(signal))) return null
    try {
      return await work()
    } finally {
      this.leave()
    }
  }

  private async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (this.taken < this.bounds.most) {
      this.taken += 1
      return true
    }
    if (this.waiting.length >= this.bounds.mostWaiting) return false
    return new Promise((resolve) => {
      const turn = () => {
        signal.removeEventListener('abort', giveUp)
        resolve(true)
      }
      const giveUp = () => {
        this.waiting.splice(this.waiting.indexOf(turn), 1)
        resolve(false)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.waiting.push(turn)
    })
  }

  /** Passes the place to the one that waits longest. */
  private leave(): void {
    const next = this.waiting.shift()
    if (next === undefined) this.taken -= 1
    else next()
  }
}
