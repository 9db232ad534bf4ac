import type { SessionTarget } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import type { SeenSession } from './decide.ts'
import { type MachineSight, readMachine } from './machine.ts'
import { readProcessTargets } from './process-targets.ts'
import { readProjectTargets } from './project-targets.ts'
import type { SessionRow } from './table.ts'

export interface Sight {
  session: SeenSession
  /** When what it follows is to be looked at again, though nothing wakes it; null where it follows nothing. */
  next: Date | null
}

/** All that the next state of a session depends on. */
export async function look(
  queryable: Queryable,
  row: SessionRow,
  reported: readonly SessionTarget[],
  { now, rest }: { now: Date; rest: number },
): Promise<Sight> {
  const { spec, status } = row
  const machine = await readMachine(queryable, row)
  const processes = await readProcesses(queryable, row, machine, now)
  const isManual = spec.exitCondition === 'manual'
  const derived = [...processes.targets, ...(isManual ? await readProjectTargets(queryable, row, now) : [])]
  const follows = machine !== null || (isManual && row.project_id !== null)
  const again = follows ? new Date(now.getTime() + rest) : null
  return {
    session: {
      phase: row.phase,
      desired: row.desired,
      exitCondition: spec.exitCondition,
      ci: spec.ci,
      detached: spec.detached,
      startedAt: new Date(status.startedAt),
      leaseEndsAt: row.lease_ends_at,
      done: status.done,
      error: status.error,
      failure: status.failure,
      reported,
      derived,
      machine: machine?.seen ?? null,
      now,
    },
    next: processes.next !== null && (again === null || processes.next < again) ? processes.next : again,
  }
}

async function readProcesses(
  queryable: Queryable,
  { spec, status }: SessionRow,
  machine: MachineSight | null,
  now: Date,
): Promise<{ targets: SessionTarget[]; next: Date | null }> {
  if (machine === null || machine.environmentId === null) return { targets: [], next: null }
  const seconds = spec.ci?.gracePeriodSeconds ?? null
  const grace = { seconds, from: new Date(status.startedAt) }
  return readProcessTargets(queryable, machine.environmentId, grace, now)
}
