/** A bounded number of calls at once, and a bounded number that wait for their turn, in the order they came. */
export class Places {
  private taken = 0
  private readonly waiting: (() => void)[] = []

  constructor(private readonly bounds: { most: number; mostWaiting: number }) {}

  /** Does the work when there is a place for it; null, and nothing done, when too many wait or `signal` aborts first. */
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

  /** The place goes on to who waits longest. */
  private leave(): void {
    const next = this.waiting.shift()
    if (next === undefined) this.taken -= 1
    else next()
  }
}
