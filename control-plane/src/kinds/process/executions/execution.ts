import type { ProcessRun } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { ProcessRow } from '../table.ts'
import { endInWords } from '../work/report.ts'

/** `stopped` also when another start took its place before it ran. */
export type ExecutionPhase = 'pending' | 'running' | 'succeeded' | 'failed' | 'stopped'

/** One start of a task that was asked for, with all runs that its restarts made of it. */
export interface Execution {
  id: string
  request: number
  askedAt: Date
  phase: ExecutionPhase
  /** Why it failed; null where it has not. */
  failure: string | null
  startedAt: string | null
  finishedAt: string | null
  isWanted: boolean
  task: ProcessRow
}

export interface ExecutionParts {
  id: string
  request: number
  asked_at: Date
  /** Its last run; null while there is none. */
  run: ProcessRun | null
  /** When the first of its runs began. */
  started_at: string | null
}

export function toExecution(parts: ExecutionParts, task: ProcessRow): Execution {
  const { id, request, asked_at: askedAt, run, started_at: startedAt } = parts
  const isLast = request === task.request
  const phase = isLast ? phaseOfLast(task) : phaseOfFormer(run)
  const isOver = phase !== 'pending' && phase !== 'running'
  return {
    id,
    request,
    askedAt,
    phase,
    failure: phase === 'failed' ? failureOf(isLast ? task : null, run) : null,
    startedAt,
    finishedAt: isOver ? (run?.finishedAt ?? null) : null,
    isWanted: isLast && task.desired === 'run',
    task,
  }
}

function phaseOfLast({ phase }: Pick<ProcessRow, 'phase'>): ExecutionPhase {
  switch (phase) {
    case 'pending':
    case 'starting':
      return 'pending'
    case 'running':
    case 'restarting':
    case 'stopping':
    case 'deleting':
      return 'running'
    case 'succeeded':
      return 'succeeded'
    case 'failed':
      return 'failed'
    case 'idle':
    case 'stopped':
      return 'stopped'
    default:
      return assertNever(phase)
  }
}

function phaseOfFormer(run: ProcessRun | null): ExecutionPhase {
  if (run === null || run.cause === 'stopped') return 'stopped'
  if (run.finishedAt === null) return 'running'
  return run.exitCode === 0 ? 'succeeded' : 'failed'
}

const failureOf = (last: ProcessRow | null, run: ProcessRun | null): string =>
  last?.status.failure?.message ?? `the task ${endInWords(run)}`
