import type { Failure, ProcessPhase } from '@hearth/contract'
import { processWork } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { requestOrders, requestPurges } from '../../database/outbox.ts'
import { recordEvent } from '../../resource/record.ts'
import { noteExecution } from './executions/write.ts'
import { processes } from './queries.ts'
import { type ProcessRow, type StoredProcessStatus, toListedProcess } from './table.ts'
import { wakeFollowers } from './wake-followers.ts'

export interface ProcessChange {
  phase?: ProcessPhase
  deadline?: Date | null
  runnerId?: string | null
  nextRunAt?: Date | null
  /** Asks for another run. */
  isAsked?: boolean
  status?: Partial<StoredProcessStatus>
  now: Date
}

/**
 * The only place that writes how a process stands: the row, its event, and its order where a runner has one. The row must
 * have been read under lock.
 */
export async function changeProcess(
  tx: DatabaseTransaction,
  row: ProcessRow,
  { phase = row.phase, isAsked = false, now, ...change }: ProcessChange,
): Promise<ProcessRow> {
  const moves = phase !== row.phase
  const {
    deadline = moves ? null : row.deadline,
    runnerId = row.runner_id,
    nextRunAt = row.next_run_at,
  } = change
  const status = { ...row.status, ...change.status }
  if (moves && phase !== 'pending') status.waitsFor = null
  const changed = await processes.changeStatus(tx, row.id, {
    phase,
    status,
    deadline,
    runner_id: runnerId,
    next_run_at: nextRunAt,
    ...(moves ? { phase_since: now } : {}),
    // Another run is another order.
    ...(isAsked ? { request: row.request + 1, spec_version: row.spec_version + 1 } : {}),
    // Epochs and sequences are counted by each runner for itself.
    ...(runnerId === row.runner_id ? {} : { report_epoch: 0, report_sequence: '0' }),
  })
  if (isAsked) await noteExecution(tx, changed)
  await recordEvent(tx, 'updated', toListedProcess(changed))
  await wakeFollowers(tx, [row.environment_id])
  if (row.runner_id !== null && row.runner_id !== runnerId)
    await requestPurges(tx, processWork.kind, [{ id: row.id, runnerId: row.runner_id }])
  if (runnerId !== null) await requestOrders(tx, processWork.kind, [{ id: row.id, runnerId }])
  return changed
}

/** Records why it does not run. Its runner, where it has one, is told to forget it. */
export function failProcess(
  tx: DatabaseTransaction,
  row: ProcessRow,
  failure: Failure,
  now: Date,
): Promise<ProcessRow> {
  return changeProcess(tx, row, { phase: 'failed', status: { failure, isQueued: false }, now })
}

/** Removes what is left of a process, with its runs. */
export async function removeProcess(tx: DatabaseTransaction, row: ProcessRow): Promise<void> {
  if (row.runner_id !== null)
    await requestPurges(tx, processWork.kind, [{ id: row.id, runnerId: row.runner_id }])
  await processes.remove(tx, row.id)
  await recordEvent(tx, 'deleted', toListedProcess(row))
  await wakeFollowers(tx, [row.environment_id])
}
