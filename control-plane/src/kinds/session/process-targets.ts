import type { ProcessPhase, SessionTarget } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { type ProcessRow, readProcessesOf, toListedProcess } from '../process/index.ts'
import { type GracePeriod, graceEnd, targetOfService, targetOfTask } from './targets.ts'

export interface ProcessTargets {
  targets: SessionTarget[]
  /** When time alone changes one of them; null for never. */
  next: Date | null
}

/** The targets that an environment's tasks and services are. */
export async function readProcessTargets(
  queryable: Queryable,
  environmentId: string,
  grace: GracePeriod,
  now: Date,
): Promise<ProcessTargets> {
  return targetsOf(await readProcessesOf(queryable, environmentId), grace, now)
}

export function targetsOf(rows: readonly ProcessRow[], grace: GracePeriod, now: Date): ProcessTargets {
  const seen = rows.map((row) => {
    const process = toListedProcess(row)
    const target = process.kind === 'Task' ? targetOfTask(process) : targetOfService(process, grace, now)
    const { state } = isPast(row, grace.from) ? { state: { kind: 'none' } as const } : target
    const isTolerated = state.kind === 'terminated' && state.grace === 'tolerated'
    const end = isTolerated && process.kind === 'Service' ? graceEnd(process, grace) : null
    return { target: { ...target, state }, end }
  })
  const ends = seen.flatMap(({ end }) => end ?? [])
  const next = ends.length === 0 ? null : new Date(Math.min(...ends.map((end) => end.getTime())))
  return { targets: seen.map(({ target }) => target), next }
}

const endPhases: ReadonlySet<ProcessPhase> = new Set(['idle', 'stopped', 'succeeded', 'failed'])

/** What had ended before the session began was not asked to run in it. */
const isPast = ({ phase, phase_since }: ProcessRow, began: Date) =>
  endPhases.has(phase) && phase_since < began
