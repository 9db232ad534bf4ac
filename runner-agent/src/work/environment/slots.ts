/** A limited number of slots; callers wait in line for a free one. */
export class Slots {
  private taken = 0
  private readonly line: (() => void)[] = []

  constructor(private readonly most: number) {}

  /** Resolves with a slot, to be released once; rejects when the signal aborts first. */
  async take(signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted()
    if (this.taken >= this.most) await this.wait(signal)
    else this.taken += 1
    let held = true
    return {
      release: () => {
        if (!held) return
        held = false
        // A slot is passed directly to the next waiting caller, so that nobody else can take it in between.
        const next = this.line.shift()
        if (next === undefined) this.taken -= 1
        else next()
      },
    }
  }

  private wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.line.splice(this.line.indexOf(go), 1)
        reject(signal.reason)
      }
      this.line.push(go)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}

export interface Slot {
  release(): void
}
