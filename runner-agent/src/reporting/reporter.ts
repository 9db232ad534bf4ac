import { setTimeout as delay } from 'node:timers/promises'
import type { ReportEnvelope } from '@hearth/contract'
import { backoff, type Clock } from '@hearth/foundation'
import type { Logger } from 'pino'

export interface ReportTarget {
  publishReport(report: ReportEnvelope): Promise<void>
}

/** A report without what the reporter itself adds. */
export type ReportContent = Omit<ReportEnvelope, 'runnerId' | 'epoch' | 'sequence' | 'reportedAt'>

interface Lane {
  waiting: ReportContent | null
  /** Ends the pause before a report of progress; null where there is none. */
  hurry: (() => void) | null
  /** Sequence of the last report that was stored; 0 where none was. */
  done: Promise<number>
}

/**
 * Sends the reports of each resource, one at a time and the newest next: a report that is outdated while another one
 * is being sent is skipped, but the last report is always sent. One of progress waits for a pause first, so that steps
 * that end quickly cost one report together; any other is sent at once.
 */
export class Reporter {
  private sequence = 0
  private flushing = 0
  private readonly lanes = new Map<string, Lane>()

  constructor(
    private readonly target: ReportTarget,
    private readonly identity: { runnerId: string; epoch: number },
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly signal: AbortSignal,
    private readonly progressPauseMilliseconds = 0,
  ) {}

  /**
   * Resolves with the sequence when this report, or a newer one of the same resource, is stored; or with 0 when the
   * signal aborts.
   */
  report(content: ReportContent, worth: 'progress' | 'result' = 'result'): Promise<number> {
    const name = `${content.kind}.${content.id}`
    const lane = this.lanes.get(name)
    if (lane !== undefined) {
      lane.waiting = content
      if (worth === 'result') lane.hurry?.()
      return lane.done
    }
    const started: Lane = { waiting: content, hurry: null, done: Promise.resolve(0) }
    this.lanes.set(name, started)
    started.done = this.drain(name, started, worth)
    return started.done
  }

  /** Resolves when everything reported so far is stored. */
  async flush(): Promise<void> {
    this.flushing += 1
    for (const lane of this.lanes.values()) lane.hurry?.()
    try {
      await Promise.all([...this.lanes.values()].map(({ done }) => done))
    } finally {
      this.flushing -= 1
    }
  }

  get pending(): number {
    return this.lanes.size
  }

  private async drain(name: string, lane: Lane, worth: 'progress' | 'result'): Promise<number> {
    let stored = 0
    if (worth === 'progress') await this.pause(lane)
    for (let content = lane.waiting; content !== null; content = lane.waiting) {
      lane.waiting = null
      stored = await this.send(content, lane)
    }
    this.lanes.delete(name)
    return stored
  }

  private async pause(lane: Lane): Promise<void> {
    if (this.progressPauseMilliseconds === 0 || this.flushing > 0) return
    const hurried = new AbortController()
    lane.hurry = () => hurried.abort()
    const signal = AbortSignal.any([this.signal, hurried.signal])
    await delay(this.progressPauseMilliseconds, undefined, { signal }).catch(() => undefined)
    lane.hurry = null
  }

  private async send(content: ReportContent, lane: Lane): Promise<number> {
    for (let attempt = 0; !this.signal.aborted && lane.waiting === null; attempt += 1) {
      this.sequence += 1
      const { sequence } = this
      try {
        await this.target.publishReport({
          ...content,
          ...this.identity,
          sequence,
          reportedAt: this.clock.now().toISOString(),
        })
        return sequence
      } catch (thrown) {
        this.log.warn(
          { kind: content.kind, id: content.id, error: thrown },
          'report not stored yet; retrying',
        )
        const wait = backoff(attempt, { first: 200, most: 10_000 })
        await delay(wait, undefined, { signal: this.signal }).catch(() => undefined)
      }
    }
    return 0
  }
}
