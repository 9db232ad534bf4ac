import { setTimeout as delay } from 'node:timers/promises'
import type { EnvironmentReport } from '@hearth/contract'
import { backoff, toError } from '@hearth/foundation'
import { isConnectionLoss } from '../database/connection.ts'
import { applyReports, noteUnusable, UnusableReport } from '../kinds/environment/index.ts'
import type { IntakeOptions } from './intake.ts'
import { storableText } from './storable-text.ts'

/** A report that fails alone and for no known reason is given up after so many tries, a dozen seconds in all. */
const mostTries = 8

/** Takes reports in. One that never can be is recorded and thrown away, so that nothing is tried for ever. */
export class ReportIntake {
  /** Of reports that failed alone. */
  private readonly tries = new Map<string, number>()

  constructor(private readonly options: IntakeOptions) {}

  /**
   * All or none. While PostgreSQL is away it waits for it. Throws when something else is wrong with one of several, so
   * that each is given by itself, and when one is to be tried again after a rest.
   */
  async take(reports: readonly EnvironmentReport[], signal: AbortSignal): Promise<void> {
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
        log.warn({ err: toError(error), reports: reports.length }, 'could not take reports in; trying again')
        await delay(backoff(attempt, { first: 100, most: 5_000 }), undefined, { signal }).catch(
          () => undefined,
        )
      }
    }
  }

  private async takeAlone(report: EnvironmentReport, error: Error): Promise<void> {
    const name = nameOf(report)
    if (!isAboutContent(error)) {
      const tries = (this.tries.get(name) ?? 0) + 1
      this.tries.set(name, tries)
      if (tries < mostTries) throw error
    }
    this.tries.delete(name)
    try {
      // Once more without the characters that PostgreSQL cannot keep.
      await this.commit([storableText(report)])
    } catch (second) {
      if (isAway(second)) throw second
      await this.throwAway(report, error)
    }
  }

  private async throwAway(report: EnvironmentReport, error: Error): Promise<void> {
    const { database, clock, metrics, log } = this.options
    log.error({ err: error, report }, 'threw a report away that cannot be taken in')
    metrics.reports.inc({ outcome: 'unusable' })
    const cause = error.cause === undefined ? error.message : toError(error.cause).message
    await noteUnusable(database, clock, report, storableText(cause))
  }

  private async commit(reports: readonly EnvironmentReport[]): Promise<void> {
    const { database, clock, metrics, log } = this.options
    const outcomes = await applyReports(database, clock, reports)
    for (const [index, outcome] of outcomes.entries()) {
      metrics.reports.inc({ outcome })
      const report = reports[index]
      if (outcome !== 'refused' || report === undefined) continue
      const { id, runnerId, epoch } = report
      log.info({ environmentId: id, runnerId, epoch }, 'refused a report')
    }
  }
}

const nameOf = ({ id, epoch, sequence }: EnvironmentReport) => `${id}.${epoch}.${sequence}`

/** Whether it says nothing of the reports: no connection, no room, another transaction's turn, a schema that is not there yet. */
function isAway(error: unknown): boolean {
  return isConnectionLoss(error) || /^(08|25|40|42|53|55|57|58)/.test(stateOf(error))
}

/** Whether it would fail in the same way again: data that does not fit, a constraint, a limit, or our own judgement. */
function isAboutContent(error: unknown): boolean {
  return error instanceof UnusableReport || /^(22|23|54)/.test(stateOf(error))
}

/** PostgreSQL's five characters; empty for what is not from it. */
function stateOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[0-9A-Z]{5}$/.test(code) ? code : ''
}
