import { setTimeout as delay } from 'node:timers/promises'
import type { ReportEnvelope } from '@hearth/contract'
import { backoff, toError } from '@hearth/foundation'
import { isAboutContent, isAway } from '../database/statement-failure.ts'
import { type ReportOutcome, UnusableReport, type WorkKind } from '../work/work-kind.ts'
import type { IntakeOptions } from './intake-options.ts'
import { storableText } from './storable-text.ts'

/** Tries of a single report that fails for an unknown reason, over about a dozen seconds. */
const mostTries = 8
/** Most reports whose tries are counted. */
const mostRemembered = 10_000

/**
 * Commits runners' reports. A report that can never be committed is recorded and dropped, so that nothing is retried
 * for ever.
 */
export class ReportIntake {
  /** Failed tries of reports that failed alone. */
  private readonly tries = new Map<string, number>()

  constructor(private readonly options: IntakeOptions) {}

  /**
   * Commits all reports or none, and waits while PostgreSQL is unavailable. Throws when a batch fails for another
   * reason, so that its reports are delivered again one by one, and when a single report is to be retried after a
   * pause.
   */
  async take(reports: readonly ReportEnvelope[], signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.commit(reports)
        if (this.tries.size > 0) for (const report of reports) this.tries.delete(nameOf(report))
        return
      } catch (error) {
        const [report] = reports
        if (signal.aborted || report === undefined) throw error
        if (!isAway(error)) {
          if (reports.length > 1) throw error
          return this.takeAlone(report, toError(error))
        }
        const { log } = this.options
        log.warn({ err: toError(error), reports: reports.length }, 'could not commit reports; trying again')
        await delay(backoff(attempt, { first: 100, most: 5_000 }), undefined, { signal }).catch(
          () => undefined,
        )
      }
    }
  }

  private async takeAlone(report: ReportEnvelope, error: Error): Promise<void> {
    const name = nameOf(report)
    if (!isHopeless(error)) {
      const tries = (this.tries.get(name) ?? 0) + 1
      this.tries.set(name, tries)
      // Forgetting the oldest entry only means that its report may be tried that many times again.
      if (this.tries.size > mostRemembered) this.forgetOldest()
      if (tries < mostTries) throw error
    }
    this.tries.delete(name)
    try {
      // One last try, without the characters that PostgreSQL cannot store.
      await this.commit([storableText(report)])
    } catch (second) {
      if (isAway(second)) throw second
      await this.drop(report, error)
    }
  }

  private forgetOldest(): void {
    for (const name of this.tries.keys()) {
      this.tries.delete(name)
      return
    }
  }

  private async drop(report: ReportEnvelope, error: Error): Promise<void> {
    const { database, clock, metrics, log } = this.options
    const { kind, id, runnerId, epoch, sequence, phase } = report
    const details = { kind, id, runnerId, epoch, sequence, phase }
    log.error({ err: error, ...details }, 'dropped a report that cannot be committed')
    metrics.reports.inc({ outcome: 'unusable' })
    const cause = error.cause === undefined ? error.message : toError(error.cause).message
    await this.kindOf(kind).recordDropped(database, clock, report, storableText(cause))
  }

  private async commit(reports: readonly ReportEnvelope[]): Promise<void> {
    const { database, clock } = this.options
    // Each kind has a transaction of its own. When a later kind fails, all reports are delivered again, and those
    // committed already are then stale.
    for (const kind of new Set(reports.map((report) => report.kind))) {
      const own = reports.filter((report) => report.kind === kind)
      this.note(own, await this.kindOf(kind).applyReports(database, clock, own))
    }
  }

  private note(reports: readonly ReportEnvelope[], outcomes: readonly ReportOutcome[]): void {
    const { metrics, log } = this.options
    for (const [index, outcome] of outcomes.entries()) {
      metrics.reports.inc({ outcome })
      const report = reports[index]
      if (outcome !== 'refused' || report === undefined) continue
      const { kind, id, runnerId, epoch } = report
      log.info({ kind, id, runnerId, epoch }, 'refused a report')
    }
  }

  private kindOf(kind: string): WorkKind {
    const found = this.options.workKinds.find(({ messages }) => messages.kind === kind)
    if (found === undefined) throw new UnusableReport(`there is no kind of work "${kind}"`)
    return found
  }
}

const nameOf = ({ kind, runnerId, id, epoch, sequence }: ReportEnvelope) =>
  `${kind}.${runnerId}.${id}.${epoch}.${sequence}`

/** Whether the same report would fail again, according to PostgreSQL or to our own checks. */
function isHopeless(error: unknown): boolean {
  return error instanceof UnusableReport || isAboutContent(error)
}
