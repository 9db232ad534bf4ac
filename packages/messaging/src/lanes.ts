import { backoff } from '@hearth/foundation'

interface Lane<Item> {
  items: Item[]
  attempt: number
  state: 'waiting' | 'running' | 'resting'
  timer?: NodeJS.Timeout
}

interface LaneOptions<Item> {
  /** How many items are handled at once. */
  concurrency: number
  /** How long a lane rests after its first failure; each further one doubles it, up to ten seconds. */
  firstRestMilliseconds: number
  handle(item: Item): Promise<void>
  /** The item stays first in its lane and is tried again after a rest. */
  onFailure(item: Item, thrown: unknown): void
}

/**
 * Handles items of one key in the order they came and items of different keys side by side. A lane whose item
 * fails rests, without holding a place, and is tried again for ever.
 */
export class Lanes<Item> {
  private readonly lanes = new Map<string, Lane<Item>>()
  private running = 0
  private stopped = false
  private readonly changes = new Set<() => void>()

  constructor(private readonly options: LaneOptions<Item>) {}

  push(key: string, item: Item): void {
    const lane = this.lanes.get(key)
    if (lane === undefined) this.lanes.set(key, { items: [item], attempt: 0, state: 'waiting' })
    else lane.items.push(item)
    this.startWaiting()
  }

  /** Items that are handled or could be; those behind a failure are not counted, so that they block nobody. */
  pressure(): number {
    let count = 0
    for (const lane of this.lanes.values()) if (lane.attempt === 0) count += lane.items.length
    return count
  }

  /** Every item that is not done, the ones being handled included. */
  *held(): Iterable<Item> {
    for (const lane of this.lanes.values()) yield* lane.items
  }

  /** Resolves after the next item is done or the lanes are stopped. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.changes.add(resolve))
  }

  /** Starts nothing more, waits for what runs, and returns the items that were not handled. */
  async stop(): Promise<Item[]> {
    this.stopped = true
    for (const lane of this.lanes.values()) clearTimeout(lane.timer)
    this.announce()
    while (this.running > 0) await this.changed()
    return [...this.held()]
  }

  private startWaiting(): void {
    for (const [key, lane] of this.lanes) {
      if (this.stopped || this.running >= this.options.concurrency) return
      if (lane.state === 'waiting') void this.run(key, lane)
    }
  }

  private async run(key: string, lane: Lane<Item>): Promise<void> {
    const item = lane.items[0]
    if (item === undefined) return
    lane.state = 'running'
    this.running += 1
    try {
      await this.options.handle(item)
      lane.items.shift()
      lane.attempt = 0
      // Last in the map: the other lanes get their turn first.
      this.lanes.delete(key)
      if (lane.items.length > 0) this.lanes.set(key, lane)
      lane.state = 'waiting'
    } catch (thrown) {
      this.options.onFailure(item, thrown)
      this.rest(lane)
    } finally {
      this.running -= 1
      this.announce()
      this.startWaiting()
    }
  }

  private rest(lane: Lane<Item>): void {
    lane.state = 'resting'
    if (this.stopped) return
    lane.timer = setTimeout(
      () => {
        lane.state = 'waiting'
        this.startWaiting()
      },
      backoff(lane.attempt, { first: this.options.firstRestMilliseconds, most: 10_000 }),
    )
    lane.attempt += 1
  }

  private announce(): void {
    const waiting = [...this.changes]
    this.changes.clear()
    for (const resume of waiting) resume()
  }
}
