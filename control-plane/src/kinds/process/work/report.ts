import type { Failure, ProcessPhase, ProcessReport, ProcessRun, ReportedRun } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { activePhases } from '../decide.ts'
import type { ProcessRow, StoredProcessStatus } from '../table.ts'

export interface ReportedChange {
  phase: ProcessPhase
  status: StoredProcessStatus
  /** Whether its runner knows nothing of it any more. */
  isForgotten: boolean
  /** Runs whose record changes. */
  runs: ReportedRun[]
}

type Known = Pick<ProcessRow, 'kind' | 'phase' | 'desired' | 'request' | 'spec_version' | 'status'>

/** How a process stands after a report. What was seen before the newest wish says only how runs went. */
export function afterReport(row: Known, report: ProcessReport): ReportedChange {
  const newest = report.runs.at(-1) ?? null
  const isNewer = newest !== null && newest.number >= row.status.runs
  const run = isNewer ? newest : row.status.run
  const status: StoredProcessStatus = {
    ...row.status,
    run,
    runs: Math.max(row.status.runs, newest?.number ?? 0),
    restarts: report.restarts,
    observedSpecVersion: Math.max(row.status.observedSpecVersion, report.generation),
  }
  const isCurrent = report.generation === row.spec_version
  if (!isCurrent) return { phase: row.phase, status, isForgotten: false, runs: report.runs }
  const isForgotten = report.phase === 'deleted'
  const phase = phaseAfter(row, report, run)
  if (phase === row.phase) return { phase, status, isForgotten, runs: report.runs }
  const failure = phase === 'failed' ? failureOf(row, report, run) : null
  return { phase, status: { ...status, failure, waitsFor: null }, isForgotten, runs: report.runs }
}

function phaseAfter(row: Known, { phase }: ProcessReport, run: StoredProcessStatus['run']): ProcessPhase {
  if (row.desired === 'delete' || !activePhases.has(row.phase) || row.phase === 'pending') return row.phase
  const isOfRequest = run !== null && run.request === row.request
  switch (phase) {
    case 'failed':
      return 'failed'
    case 'deleted':
    case 'ended':
      if (isOfRequest && run.finishedAt !== null) return endOf(row, run)
      return row.desired === 'stop' ? 'stopped' : row.phase
    case 'waiting':
      return row.phase === 'stopping' ? 'stopping' : 'starting'
    case 'starting':
    case 'running':
      if (row.desired === 'stop') return 'stopping'
      return isOfRequest && run.finishedAt === null && (row.kind === 'task' || run.readyAt !== null)
        ? 'running'
        : 'starting'
    case 'restarting':
      return row.desired === 'stop' ? 'stopping' : 'restarting'
    case 'stopping':
      return row.phase
    default:
      return assertNever(phase)
  }
}

/** A service that ends well by itself has ended, but not as a task does. */
function endOf({ kind, desired }: Known, run: ProcessRun): ProcessPhase {
  if (run.cause === 'stopped') return 'stopped'
  if (run.exitCode === 0) return kind === 'task' ? 'succeeded' : 'stopped'
  return desired === 'stop' ? 'stopped' : 'failed'
}

function failureOf(row: Known, report: ProcessReport, run: ProcessRun | null): Failure {
  if (report.failure !== null) return report.failure
  const lines = run?.output.trimEnd().split('\n').slice(-20) ?? []
  const lastLines = run === null || run.output.trim() === '' ? {} : { lastLines: lines }
  const code = run?.cause === 'deadline' || run?.cause === 'not_ready' ? 'deadline_passed' : 'command_failed'
  const again = report.restarts > 0 ? ` after ${report.restarts} restarts` : ''
  return { code, message: `the ${row.kind} ${endInWords(run)}${again}`, ...lastLines }
}

/** How a run ended, as the end of a sentence. */
export function endInWords(run: ProcessRun | null): string {
  const cause = run?.cause ?? null
  if (run === null || cause === null) return 'ended'
  switch (cause) {
    case 'exit':
      return `ended with exit code ${run.exitCode}`
    case 'signal':
      return `was ended by ${run.signal}`
    case 'deadline':
      return 'was ended at its deadline'
    case 'memory':
      return 'needed more memory than it may have, and was killed'
    case 'not_ready':
      return 'was not ready in time'
    case 'stopped':
      return 'was stopped'
    case 'lost':
      return 'was cut short, since its machine went down'
    case 'refused':
      return 'could not be started: its log says why'
    default:
      return assertNever(cause)
  }
}
