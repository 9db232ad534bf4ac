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
  /** Sequence of the last report that was stored; 0 where none was. */
  done: Promise<number>
}

/**
 * Sends the reports of each resource, one at a time and the newest next: a report that is outdated while another one
 * is being sent is skipped, but the last report is always sent.
 */
export class Reporter {
  private sequence = 0
  private readonly lanes = new Map<string, Lane>()

  constructor(
    private readonly target: ReportTarget,
    private readonly identity: { runnerId: string; epoch: number },
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Resolves with the sequence when this report, or a newer one of the same resource, is stored; or with 0 when the
   * signal aborts.
   */
  report(content: ReportContent): Promise<number> {
    const name = `${content.kind}.${content.id}`
    const lane = this.lanes.get(name)
    if (lane !== undefined) {
      lane.waiting = content
      return lane.done
    }
    const started: Lane = { waiting: content, done: Promise.resolve(0) }
    this.lanes.set(name, started)
    started.done = this.drain(name, started)
    return started.done
  }

  /** Resolves when everything reported so far is stored. */
  async flush(): Promise<void> {
    await Promise.all([...this.lanes.values()].map(({ done }) => done))
  }

  get pending(): number {
    return this.lanes.size
  }

  private async drain(name: string, lane: Lane): Promise<number> {
    let stored = 0
    for (let content = lane.waiting; content !== null; content = lane.waiting) {
      lane.waiting = null
      stored = await this.send(content, lane)
    }
    this.lanes.delete(name)
    return stored
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
