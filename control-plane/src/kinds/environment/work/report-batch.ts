import { type EnvironmentReport, environmentWork } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database } from '../../../database/connection.ts'
import { requestPurges } from '../../../database/outbox.ts'
import { transact } from '../../../database/transact.ts'
import { idsOf } from '../../../work/apply-in-turn.ts'
import { droppedInWords } from '../../../work/dropped-report.ts'
import { readEpochs } from '../../../work/runner-epochs.ts'
import { type ReportOutcome, UnusableReport } from '../../../work/work-kind.ts'
import { continueJob, continueJobs, type JobContinuation } from '../../job/index.ts'
import { type PhaseMove, writeMoves } from '../lifecycle/phase.ts'
import { lockEnvironments } from '../queries.ts'
import { decideReport } from './report.ts'

/**
 * Commits reports in one transaction, those of one environment in the order given. Stale, repeated and refused reports
 * change nothing. Returns the outcome of each. Throws `UnusableReport` for a report that can never be committed, or the
 * error of PostgreSQL; nothing is changed then.
 */
export async function applyReports(
  database: Database,
  clock: Clock,
  reports: readonly EnvironmentReport[],
): Promise<ReportOutcome[]> {
  return transact(database, async (tx) => {
    const [locked, epochs] = await Promise.all([
      lockEnvironments(tx, idsOf(reports)),
      readEpochs(
        tx,
        reports.map(({ runnerId }) => runnerId),
      ),
    ])
    const rows = new Map(locked.map((row) => [row.id, row]))
    const now = clock.now()
    const moves: PhaseMove[] = []
    const continuations: JobContinuation[] = []
    const outcomes = reports.map((report): ReportOutcome => {
      const row = rows.get(report.id)
      if (row === undefined) return 'refused'
      const { outcome, move, entries } = decide(row, epochs.get(report.runnerId) ?? 0, report, now)
      if (move === null) return outcome
      rows.set(report.id, move.after)
      moves.push(move)
      continuations.push({ operation: 'environment.provision', id: report.id, entries })
      return outcome
    })
    // The entries of steps come first: a move to another phase may end the job.
    await continueJobs(tx, continuations)
    await writeMoves(tx, moves)
    await requestPurges(tx, environmentWork.kind, moves.flatMap(purges))
    return outcomes
  })
}

const decide: typeof decideReport = (row, runnerEpoch, report, now) => {
  try {
    return decideReport(row, runnerEpoch, report, now)
  } catch (cause) {
    throw new UnusableReport(`a report of environment ${report.id} cannot be committed`, { cause })
  }
}

function purges({ after }: PhaseMove): { id: string; runnerId: string }[] {
  return after.phase === 'deleted' && after.runner_id !== null
    ? [{ id: after.id, runnerId: after.runner_id }]
    : []
}

/** Records in the log of a running provisioning job that a report was dropped. */
export async function recordDropped(
  database: Database,
  clock: Clock,
  report: EnvironmentReport,
  cause: string,
): Promise<void> {
  const entry = {
    time: clock.now().toISOString(),
    level: 'error' as const,
    message: droppedInWords(report, cause),
  }
  await transact(database, (tx) =>
    continueJob(tx, { operation: 'environment.provision', id: report.id }, [entry]),
  )
}
