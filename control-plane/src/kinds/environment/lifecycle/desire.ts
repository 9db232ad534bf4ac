import {
  type Deletion,
  type DesiredPhase,
  type EnvironmentPhase,
  environmentWork,
  type QuotaLimits,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { requireRoomToStart } from '../../quota/index.ts'
import { accountsOf } from '../placing/accounts.ts'
import { type EnvironmentRow, environmentColumns, toListedEnvironment } from '../table.ts'
import { beginDeletion } from './begin-deletion.ts'

/**
 * Stops, suspends or starts an environment: writes the desired phase and orders it of the runner. The row must have been read
 * under lock. An environment being deleted refuses another phase with a conflict; one that starts must fit its quotas.
 */
export async function desirePhase(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  desired: Exclude<DesiredPhase, 'deleted'>,
  limits: QuotaLimits,
): Promise<EnvironmentRow> {
  if (desired === 'stopped' && (row.phase === 'pending' || row.phase === 'provisioning'))
    throw new HearthError(
      'conflict',
      `environment ${row.name} is ${row.phase}: only what was ready can be stopped`,
    )
  if (desired === 'suspended' && !suspendable.has(row.phase))
    throw new HearthError(
      'conflict',
      `environment ${row.name} is ${row.phase}: only what runs can be suspended`,
    )
  if (desired === 'suspended') await requireSuspendingAgent(tx, row)
  const isOff = row.phase === 'stopped' || row.phase === 'suspended'
  if (desired === 'running' && isOff && row.desired_phase === row.phase)
    await requireRoomToStart(tx, accountsOf(row, limits))
  return desire(tx, row, desired)
}

async function requireSuspendingAgent(tx: DatabaseTransaction, row: EnvironmentRow): Promise<void> {
  const agent = await agentThatCannotSuspend(tx, row)
  if (agent === null) return
  throw new HearthError(
    'conflict',
    `environment ${row.name} is on ${agent}, which cannot suspend: upgrade the agent`,
  )
}

/** An older agent would ignore the order, and the environment wait for its deadline; null for any that obeys. */
async function agentThatCannotSuspend(tx: DatabaseTransaction, row: EnvironmentRow): Promise<string | null> {
  if (row.runner_id === null) return null
  const runner = await tx
    .selectFrom('runners')
    .select(['name', 'status'])
    .where('id', '=', row.runner_id)
    .executeTakeFirst()
  const facts = runner?.status.facts ?? null
  if (facts === null || facts.suspends === true) return null
  return `runner ${runner?.name} with agent ${facts.agentVersion}`
}

/** What has a guest that is ready, or will be without another order. */
const suspendable: ReadonlySet<EnvironmentPhase> = new Set([
  'running',
  'starting',
  'suspending',
  'suspended',
  'resuming',
])

/** Puts one to rest that runs, since its life says so; one whose agent cannot suspend it is stopped. */
export async function desireRest(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  desired: 'suspended' | 'stopped',
): Promise<EnvironmentRow> {
  const isIgnored = desired === 'suspended' && (await agentThatCannotSuspend(tx, row)) !== null
  return desire(tx, row, isIgnored ? 'stopped' : desired)
}

/** Marks an environment for deletion and stores the reason. A second call changes nothing: the first reason stands. */
export async function desireDeletion(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  because: Pick<Deletion, 'reason'> & { principalId?: string },
  now: Date,
): Promise<EnvironmentRow> {
  const { reason, principalId = null } = because
  if (row.desired_phase === 'deleted') {
    await wake(tx, 'environment', row.id)
    return row
  }
  const deletion = { reason, principalId, at: now.toISOString() }
  // Its reconciler does without a runner that answers: what can be ordered is ordered here.
  if (row.phase !== 'deleted' && row.runner_id !== null && (await hears(tx, row.runner_id))) {
    const unwanted = {
      ...row,
      desired_phase: 'deleted' as const,
      deletion,
      spec_version: row.spec_version + 1,
    }
    return beginDeletion(tx, unwanted, now)
  }
  const changed = await write(tx, row, 'deleted', deletion)
  await recordEvent(tx, 'updated', toListedEnvironment(changed))
  await wake(tx, 'environment', changed.id)
  return changed
}

async function desire(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  desired: Exclude<DesiredPhase, 'deleted'>,
): Promise<EnvironmentRow> {
  const isAnew = isUnsuspended(row) && desired === 'suspended'
  if (row.desired_phase === desired && !isAnew) {
    await wake(tx, 'environment', row.id)
    return row
  }
  if (row.desired_phase === 'deleted')
    throw new HearthError('conflict', `environment ${row.name} is being deleted`)
  const changed = await write(tx, row, desired, null)
  await recordEvent(tx, 'updated', toListedEnvironment(changed))
  if (changed.runner_id !== null)
    await requestOrders(tx, environmentWork.kind, [{ id: changed.id, runnerId: changed.runner_id }])
  await wake(tx, 'environment', changed.id)
  return changed
}

async function write(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  desired: DesiredPhase,
  deletion: Deletion | null,
): Promise<EnvironmentRow> {
  return tx
    .updateTable('environments')
    .set({
      desired_phase: desired,
      deletion: deletion === null ? null : JSON.stringify(deletion),
      spec_version: sql`spec_version + 1`,
      updated_at: sql`now()`,
      ...(row.desired_phase === desired ? withoutFault(row) : {}),
    })
    .where('id', '=', row.id)
    .returning(environmentColumns)
    .executeTakeFirstOrThrow()
}

async function hears(tx: DatabaseTransaction, runnerId: string): Promise<boolean> {
  const runner = await tx.selectFrom('runners').select('phase').where('id', '=', runnerId).executeTakeFirst()
  return runner !== undefined && runner.phase !== 'offline' && runner.phase !== 'deleted'
}

/** Whether its runner could not suspend it, and it runs on. Only a newer generation has that tried again. */
function isUnsuspended({ phase, desired_phase, status }: EnvironmentRow): boolean {
  return phase === 'running' && desired_phase === 'suspended' && status.failure !== null
}

/** The failure is that of the try before, and what is still said of that one changes nothing. */
function withoutFault({ status, spec_version }: EnvironmentRow) {
  return {
    status: JSON.stringify({ ...status, failure: null, leastGeneration: spec_version + 1 }),
    status_version: sql<number>`status_version + 1`,
  }
}

/** Adds labels, with an event. */
export async function addLabels(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  labels: Record<string, string>,
): Promise<EnvironmentRow> {
  if (Object.keys(labels).length === 0) return row
  const changed = await setLabels(tx, row, { ...row.labels, ...labels })
  await recordEvent(tx, 'updated', toListedEnvironment(changed))
  return changed
}

/** Changes the labels. No order follows, since the runner does not know them. */
export async function setLabels(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  labels: Record<string, string>,
): Promise<EnvironmentRow> {
  return tx
    .updateTable('environments')
    .set({ labels: JSON.stringify(labels), spec_version: sql`spec_version + 1`, updated_at: sql`now()` })
    .where('id', '=', row.id)
    .returning(environmentColumns)
    .executeTakeFirstOrThrow()
}
