import { HearthError } from '@hearth/foundation'

const most = { agent: 64, environment: 8 }

/** The calls that are open at this agent: one machine's do not take the place of all others. */
export class OpenCalls {
  private readonly open = new Map<string, number>()
  private total = 0

  /** Throws `rate_limited` where there are too many; the function that is returned notes the end of the call. */
  begin(environmentId: string): () => void {
    const own = this.open.get(environmentId) ?? 0
    if (own >= most.environment)
      throw new HearthError(
        'rate_limited',
        `${own} calls are open to the machine, which is as many as may be`,
      )
    if (this.total >= most.agent)
      throw new HearthError(
        'rate_limited',
        `${this.total} calls are open to the host, which is as many as may be`,
      )
    this.open.set(environmentId, own + 1)
    this.total += 1
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.total -= 1
      const left = (this.open.get(environmentId) ?? 1) - 1
      if (left > 0) this.open.set(environmentId, left)
      else this.open.delete(environmentId)
    }
  }
}
