/** A time in which the event loop ran one thing, and nothing else. */
export interface Stall {
  milliseconds: number
  /** Processor time that this process used meanwhile, all its threads together. */
  computedMilliseconds: number
  /** `busy`: this process computed for most of it. `waiting`: its machine gave it no time, or stood still. */
  cause: 'busy' | 'waiting'
  /** What was noted since the loop last came round, the newest last: one of these is what ran. */
  noted: readonly string[]
}

interface EventLoopWatchOptions {
  /** Shorter delays are not reported. */
  stallMilliseconds: number
  onStall(stall: Stall): void
}

/** Interval of the timer that is late when the loop is blocked; the length of a stall is exact to it. */
const beatMilliseconds = 20
const mostNotes = 5

/**
 * Notices when one thing keeps all others of its process waiting. Unlike a histogram of delays it says when, and what
 * may have run, and tells computing from a machine that is too busy. Costs a timer that fires fifty times a second.
 */
export class EventLoopWatch implements Disposable {
  private readonly timer: NodeJS.Timeout
  private readonly noted: string[] = []
  private beatAt = performance.now()
  private processor = process.cpuUsage()

  constructor(private readonly options: EventLoopWatchOptions) {
    this.timer = setInterval(() => this.beat(), beatMilliseconds).unref()
  }

  /** Says what begins or has just run, in a few words that are the same for all of its kind. */
  note(what: string): void {
    if (this.noted.length === mostNotes) this.noted.shift()
    this.noted.push(what)
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }

  private beat(): void {
    const now = performance.now()
    const used = process.cpuUsage(this.processor)
    const milliseconds = now - this.beatAt - beatMilliseconds
    if (milliseconds > this.options.stallMilliseconds) {
      const computed = (used.user + used.system) / 1_000
      const cause = computed >= milliseconds / 2 ? 'busy' : 'waiting'
      this.options.onStall({
        milliseconds: Math.round(milliseconds),
        computedMilliseconds: Math.round(computed),
        cause,
        noted: [...this.noted],
      })
    }
    this.noted.length = 0
    this.beatAt = performance.now()
    this.processor = process.cpuUsage()
  }
}
