import { type EnvironmentPhase, environmentPhaseTable, type Failure, mayMove } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wake, wakeAll } from '../../reconciling/wake.ts'
import { recordEvent } from '../event/index.ts'
import { continueJob } from '../job/index.ts'
import { type EnvironmentRow, type StoredEnvironmentStatus, toEnvironment } from './table.ts'

export interface PhaseChange {
  phase: EnvironmentPhase
  status?: StoredEnvironmentStatus
  /** null takes it off its runner. */
  runnerId?: string | null
  /** Where in the runner's reports this change stands. */
  report?: { epoch: number; sequence: number }
  now: Date
}

/**
 * The only place that writes a phase. Refuses a move that is not in the table, sets the new phase's deadline, writes
 * the event and the job's end, and wakes whoever waits for it. The row must have been read under lock.
 */
export async function movePhase(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  change: PhaseChange,
): Promise<EnvironmentRow> {
  const { phase, now } = change
  const moves = phase !== row.phase
  if (moves && !mayMove(row.phase, phase))
    throw new Error(`environment ${row.id} may not move from ${row.phase} to ${phase}`)
  const { deadlineSeconds } = environmentPhaseTable[phase]
  const changed = await tx
    .updateTable('environments')
    .set({
      phase,
      status: JSON.stringify(statusAfter(row, change, moves)),
      status_version: sql`status_version + 1`,
      updated_at: now,
      ...(moves
        ? {
            phase_since: now,
            deadline: deadlineSeconds === null ? null : new Date(now.getTime() + deadlineSeconds * 1000),
          }
        : {}),
      ...(change.runnerId === undefined ? {} : { runner_id: change.runnerId }),
      ...(change.report === undefined
        ? {}
        : { report_epoch: change.report.epoch, report_sequence: String(change.report.sequence) }),
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await recordEvent(tx, phase === 'deleted' ? 'deleted' : 'updated', toEnvironment(changed))
  if (moves) {
    await endJobs(tx, changed, now)
    await wakeDependents(tx, changed)
  }
  return changed
}

function statusAfter(row: EnvironmentRow, change: PhaseChange, moves: boolean): StoredEnvironmentStatus {
  const status = change.status ?? row.status
  return moves && change.phase === 'failed' ? { ...status, failedAt: change.now.toISOString() } : status
}

async function wakeDependents(tx: DatabaseTransaction, row: EnvironmentRow): Promise<void> {
  await wake(tx, 'environment', row.id)
  if (row.warm_pool_id !== null) await wake(tx, 'warm-pool', row.warm_pool_id)
  if (row.claim_id !== null) await wake(tx, 'claim', row.claim_id)
  if (row.phase !== 'deleted') return
  await wake(tx, 'project', row.project_id)
  if (row.runner_id !== null) await wakeAll(tx, 'environment', await oldestPending(tx, row.organization_id))
}

/** The first in line for the room that a machine has left. */
async function oldestPending(tx: DatabaseTransaction, organizationId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('environments')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('phase', '=', 'pending')
    .orderBy('id')
    .limit(4)
    .execute()
  return rows.map(({ id }) => id)
}

async function endJobs(tx: DatabaseTransaction, row: EnvironmentRow, now: Date): Promise<void> {
  const time = now.toISOString()
  const failure = row.status.failure
  const entry = (level: 'info' | 'error', message: string) => [{ time, level, message }]
  switch (row.phase) {
    case 'running':
      return continueJob(tx, provisionOf(row), entry('info', 'the machine is ready'), {
        phase: 'succeeded',
        failure: null,
        at: now,
      })
    case 'failed':
      return continueJob(tx, provisionOf(row), entry('error', failure?.message ?? 'it failed'), {
        phase: 'failed',
        failure,
        at: now,
      })
    case 'deleting':
    case 'deleted':
      await continueJob(tx, provisionOf(row), entry('info', 'the machine is not wanted any more'), {
        phase: 'cancelled',
        failure: null,
        at: now,
      })
      if (row.phase === 'deleted') {
        const end = { phase: 'succeeded' as const, failure: null, at: now }
        await continueJob(
          tx,
          { operation: 'environment.delete', id: row.id },
          entry('info', 'the machine is gone'),
          end,
        )
      }
      return
    case 'pending':
    case 'provisioning':
    case 'stopping':
    case 'stopped':
    case 'starting':
      return
    default:
      row.phase satisfies never
  }
}

const provisionOf = (row: EnvironmentRow) => ({ operation: 'environment.provision' as const, id: row.id })

/** The failure as it stands in a status. */
export function withFailure(status: StoredEnvironmentStatus, failure: Failure): StoredEnvironmentStatus {
  return { ...status, failure }
}
