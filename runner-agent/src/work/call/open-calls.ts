import { HearthError } from '@hearth/foundation'

interface Most {
  agent: number
  environment: number
}
const mostCalls = { agent: 64, environment: 8 }
/** Of those that go on for as long as somebody listens: the others end soon, and have room beside them. */
const mostListening = { agent: 32, environment: 4 }

/** The calls that are open at this agent: one machine's do not take the place of all others. */
export class OpenCalls {
  private readonly calls = new Count('calls are open', mostCalls)
  private readonly listening = new Count('streams are open', mostListening)

  /** Throws `rate_limited` where there are too many; the function that is returned notes the end of the call. */
  begin(environmentId: string, isListening = false): () => void {
    const counts = isListening ? [this.calls, this.listening] : [this.calls]
    for (const count of counts) count.requireRoom(environmentId)
    for (const count of counts) count.add(environmentId)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      for (const count of counts) count.remove(environmentId)
    }
  }
}

class Count {
  private readonly open = new Map<string, number>()
  private total = 0

  constructor(
    private readonly what: string,
    private readonly most: Most,
  ) {}

  requireRoom(environmentId: string): void {
    const own = this.open.get(environmentId) ?? 0
    if (own >= this.most.environment) throw full(own, `${this.what} to the machine`)
    if (this.total >= this.most.agent) throw full(this.total, `${this.what} to the host`)
  }

  add(environmentId: string): void {
    this.open.set(environmentId, (this.open.get(environmentId) ?? 0) + 1)
    this.total += 1
  }

  remove(environmentId: string): void {
    this.total -= 1
    const left = (this.open.get(environmentId) ?? 1) - 1
    if (left > 0) this.open.set(environmentId, left)
    else this.open.delete(environmentId)
  }
}

const full = (count: number, what: string) =>
  new HearthError('rate_limited', `${count} ${what}, which is as many as may be`)
