import type { Failure } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { EnvironmentRow } from '../environment/index.ts'
import { type ProcessRow, runEndInWords } from '../process/index.ts'
import type { SeenMachine, SeenTask, SeenWebApp } from './decide.ts'
import type { WebAppRow } from './table.ts'
import { removalRoles, setUpRole } from './tasks.ts'

/** `processes` are all that it, its spaces and its deployments keep. */
export function lookAt(row: WebAppRow, processes: readonly ProcessRow[]): SeenWebApp {
  const find = (role: string) =>
    processes.find(({ spec }) => spec.keptBy?.id === row.id && spec.keptBy.role === role)
  const removals = removalRoles.map(find)
  return {
    name: row.name,
    phase: row.phase,
    desired: row.desired,
    deadline: row.deadline,
    waitsFor: row.status.waitsFor,
    setUp: toSeen(find(setUpRole)),
    processes: processes.length - removals.filter((task) => task !== undefined).length,
    removals: removals.map(toSeen),
  }
}

function toSeen(row: ProcessRow | undefined): SeenTask {
  if (row === undefined) return { state: 'absent' }
  const { phase, status } = row
  switch (phase) {
    case 'succeeded':
      return { state: 'done' }
    case 'idle':
    case 'stopped':
    case 'failed':
      return { state: 'failed', failure: failureOf(row) }
    case 'pending':
    case 'starting':
    case 'running':
    case 'restarting':
    case 'stopping':
    case 'deleting':
      return { state: 'working', waitsFor: status.waitsFor }
    default:
      return assertNever(phase)
  }
}

function failureOf({ kind, name, status }: ProcessRow): Failure {
  const { failure, run } = status
  const message = `${kind} ${name}: ${failure?.message ?? `the ${kind} ${runEndInWords(run)}`}`
  const { lastLines } = failure ?? {}
  return {
    code: failure?.code ?? 'command_failed',
    message,
    ...(lastLines === undefined ? {} : { lastLines }),
  }
}

export const toMachine = ({ name, phase, desired_phase, unreachable }: EnvironmentRow): SeenMachine => ({
  name,
  phase,
  desiredPhase: desired_phase,
  unreachable,
})
