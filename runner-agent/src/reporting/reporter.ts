import { setTimeout as delay } from 'node:timers/promises'
import type { EnvironmentReport } from '@hearth/contract'
import { backoff, type Clock } from '@hearth/foundation'
import type { Logger } from 'pino'

export interface ReportTarget {
  publishReport(report: EnvironmentReport): Promise<void>
}

export type ReportContent = Omit<EnvironmentReport, 'kind' | 'runnerId' | 'epoch' | 'sequence' | 'reportedAt'>

interface Lane {
  waiting: ReportContent | null
  done: Promise<void>
}

/**
 * Sends what was seen of each environment, one report at a time and the newest next: what is overtaken while another
 * is on its way is never sent, and the last one always is.
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

  /** Resolves when this report, or a newer one of the same environment, is stored, or the signal aborts. */
  report(content: ReportContent): Promise<void> {
    const lane = this.lanes.get(content.id)
    if (lane !== undefined) {
      lane.waiting = content
      return lane.done
    }
    const started: Lane = { waiting: content, done: Promise.resolve() }
    this.lanes.set(content.id, started)
    started.done = this.drain(content.id, started)
    return started.done
  }

  /** Resolves when everything reported so far is stored. */
  async flush(): Promise<void> {
    await Promise.all([...this.lanes.values()].map(({ done }) => done))
  }

  get pending(): number {
    return this.lanes.size
  }

  private async drain(id: string, lane: Lane): Promise<void> {
    for (let content = lane.waiting; content !== null; content = lane.waiting) {
      lane.waiting = null
      await this.send(content, lane)
    }
    this.lanes.delete(id)
  }

  private async send(content: ReportContent, lane: Lane): Promise<void> {
    for (let attempt = 0; !this.signal.aborted && lane.waiting === null; attempt += 1) {
      this.sequence += 1
      try {
        await this.target.publishReport({
          kind: 'environment',
          ...content,
          ...this.identity,
          sequence: this.sequence,
          reportedAt: this.clock.now().toISOString(),
        })
        return
      } catch (thrown) {
        this.log.warn({ environmentId: content.id, error: thrown }, 'a report is not stored yet')
        const wait = backoff(attempt, { first: 200, most: 10_000 })
        await delay(wait, undefined, { signal: this.signal }).catch(() => undefined)
      }
    }
  }
}
