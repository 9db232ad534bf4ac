/**
 * How many transactions one organization may have open at a time on this control plane; more wait their turn, first come,
 * first served, without a connection. So one that asks for much at once leaves connections to the others.
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
      // Whoever is next gets the turn itself, so that nobody who comes later can take it first.
      if (next !== undefined) next()
      else if (--turns.running === 0) this.taken.delete(organizationId)
    }
  }
}
