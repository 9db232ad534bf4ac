/**
 * Bounds the transactions that one organization has open at a time on this replica. More wait in order without holding
 * a connection, so that one busy organization leaves connections to the others.
 */
export class Turns {
  private readonly taken = new Map<string, { running: number; waiting: (() => void)[] }>()

  constructor(private readonly most: number) {}

  async take<Result>(organizationId: string, work: () => Promise<Result>): Promise<Result> {
    const turns = this.taken.get(organizationId) ?? { running: 0, waiting: [] }
    this.taken.set(organizationId, turns)
    if (turns.running < this.most) turns.running += 1
    else await new Promise<void>((resolve) => turns.waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = turns.waiting.shift()
      // The turn is passed directly to the next waiter, so that no later caller can take it first.
      if (next !== undefined) next()
      else if (--turns.running === 0) this.taken.delete(organizationId)
    }
  }
}
