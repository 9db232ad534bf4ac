import { HearthError } from '@hearth/foundation'

const mostWaiting = 8

/** One simulation at a time, however many are asked for: together they would leave no time to other requests. */
export class SimulationTurns {
  private last: Promise<unknown> = Promise.resolve()
  private waiting = 0

  /** Throws `rate_limited` where too many wait already. */
  async take<Result>(simulate: () => Promise<Result>): Promise<Result> {
    if (this.waiting === mostWaiting)
      throw new HearthError(
        'rate_limited',
        `${mostWaiting} simulations wait already: try again in a moment`,
        {
          facts: { retryAfterSeconds: 5 },
        },
      )
    this.waiting += 1
    const turn = this.last.then(simulate)
    this.last = turn.catch(() => undefined)
    try {
      return await turn
    } finally {
      this.waiting -= 1
    }
  }
}
