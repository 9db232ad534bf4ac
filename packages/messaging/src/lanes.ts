import { backoff } from '@hearth/foundation'

interface Lane<Item> {
  items: Item[]
  /** Number of leading items to retry one by one, because their batch failed. */
  apart: number
  attempt: number
  state: 'waiting' | 'running' | 'resting'
  timer?: NodeJS.Timeout
}

/** The first `count` items of a lane, which become part of a batch. */
interface Part<Item> {
  key: string
  lane: Lane<Item>
  count: number
}

interface LaneOptions<Item> {
  /** How many batches are handled at once. */
  concurrency: number
  /** How many items one batch holds. */
  mostInBatch: number
  /** Delay before a batch's place is filled again: under load the next batch then carries more items. */
  pauseMilliseconds: number
  /** Delay of a lane's first retry; it doubles with each further failure, up to ten seconds. */
  firstRestMilliseconds: number
  handle(items: readonly Item[]): Promise<void>
  /** Called after a failure; the items stay first in their lanes and are retried one by one. */
  onFailure(items: readonly Item[], thrown: unknown): void
}

/**
 * Handles queued items in batches: items of one key in their order of arrival, never in two batches at once. The
 * items of a failed batch are retried one by one; a lane whose item fails alone waits, without occupying a place, and
 * is retried for ever.
 */
export class Lanes<Item> {
  private readonly lanes = new Map<string, Lane<Item>>()
  /** Number of occupied places: batches being handled, and places in their pause. */
  private running = 0
  private places = 0
  private starting: NodeJS.Immediate | null = null
  private stopped = false
  private readonly changes = new Set<() => void>()

  constructor(private readonly options: LaneOptions<Item>) {}

  push(key: string, item: Item): void {
    const lane = this.lanes.get(key)
    if (lane === undefined) this.lanes.set(key, { items: [item], apart: 0, attempt: 0, state: 'waiting' })
    else lane.items.push(item)
    this.startSoon()
  }

  /**
   * Number of items that are being handled or could be; items behind a failure do not count, so that they hold up
   * nobody.
   */
  pressure(): number {
    let count = 0
    for (const lane of this.lanes.values()) if (lane.attempt === 0) count += lane.items.length
    return count
  }

  /** Every item that is not done, including the ones being handled. */
  *held(): Iterable<Item> {
    for (const lane of this.lanes.values()) yield* lane.items
  }

  /** Resolves after the next batch is done or the lanes are stopped. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.changes.add(resolve))
  }

  /** Starts no further batch, waits for the running ones, and returns the items that were not handled. */
  async stop(): Promise<Item[]> {
    this.stopped = true
    for (const lane of this.lanes.values()) clearTimeout(lane.timer)
    this.announce()
    while (this.running > 0) await this.changed()
    return [...this.held()]
  }

  /** Deferred, so that items that arrive together go into one batch. */
  private startSoon(): void {
    this.starting ??= setImmediate(() => {
      this.starting = null
      this.start()
    })
  }

  private start(): void {
    while (!this.stopped && this.places < this.options.concurrency) {
      const batch = this.nextBatch()
      if (batch.length === 0) return
      void this.run(batch)
    }
  }

  private nextBatch(): Part<Item>[] {
    const batch: Part<Item>[] = []
    let room = this.options.mostInBatch
    for (const [key, lane] of this.lanes) {
      if (room === 0) break
      if (lane.state !== 'waiting') continue
      if (lane.apart > 0) {
        if (batch.length === 0) return [{ key, lane, count: 1 }]
        continue
      }
      const count = Math.min(room, lane.items.length)
      batch.push({ key, lane, count })
      room -= count
    }
    return batch
  }

  private async run(batch: readonly Part<Item>[]): Promise<void> {
    const items = batch.flatMap(({ lane, count }) => lane.items.slice(0, count))
    for (const { lane } of batch) lane.state = 'running'
    this.running += 1
    this.places += 1
    let pause = 0
    try {
      await this.options.handle(items)
      for (const part of batch) this.finish(part)
      pause = this.options.pauseMilliseconds
    } catch (thrown) {
      this.options.onFailure(items, thrown)
      if (items.length === 1) for (const { lane } of batch) this.rest(lane)
      else for (const part of batch) this.setApart(part)
    } finally {
      this.running -= 1
      this.announce()
      this.leave(pause)
    }
  }

  private leave(pause: number): void {
    const free = () => {
      this.places -= 1
      this.start()
    }
    if (pause > 0) setTimeout(free, pause)
    else free()
  }

  private finish({ key, lane, count }: Part<Item>): void {
    lane.items.splice(0, count)
    lane.apart = Math.max(0, lane.apart - count)
    lane.attempt = 0
    lane.state = 'waiting'
    // Moved to the end of the map, so that the other lanes come first.
    this.lanes.delete(key)
    if (lane.items.length > 0) this.lanes.set(key, lane)
  }

  private setApart({ lane, count }: Part<Item>): void {
    lane.apart = count
    lane.state = 'waiting'
  }

  private rest(lane: Lane<Item>): void {
    lane.apart = Math.max(1, lane.apart)
    lane.state = 'resting'
    if (this.stopped) return
    lane.timer = setTimeout(
      () => {
        lane.state = 'waiting'
        this.start()
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
