import { environmentWork, type QuotaLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestOrders } from '../../../database/outbox.ts'
import { requireRoomToStart } from '../../quota/index.ts'
import { refusePastLife } from '../life/change.ts'
import { accountsOf } from '../placing/accounts.ts'
import { withPlan } from '../queries.ts'
import { type EnvironmentRow, environmentColumns, type StoredSource } from '../table.ts'
import { heldSteps } from './held-steps.ts'
import { movePhase } from './phase.ts'
import { memoryFault, type SourceRow } from './source.ts'

/**
 * Puts a machine back to a snapshot, which must be on its runner: what it has done since is lost. The row must have been
 * read under lock, and the snapshot be held by the transaction.
 */
export async function restoreEnvironment(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  { snapshot, memory, limits }: { snapshot: SourceRow; memory: boolean; limits: QuotaLimits },
  now: Date,
): Promise<EnvironmentRow> {
  const runnerId = requireRestorable(row)
  refusePastLife(row, now)
  if (row.phase !== 'running') await requireRoomToStart(tx, accountsOf(row, limits))
  const { plan } = (await withPlan(tx, row)).spec
  const { machine, held, memory: kept } = snapshot.status
  const source: StoredSource = {
    snapshotId: snapshot.id,
    memory,
    // The first start, from whatever, is the first incarnation.
    incarnation: (row.source?.incarnation ?? 1) + 1,
    heldSteps: heldSteps(plan, held),
    onlyFromSnapshot: true,
    memoryWithheld: memory ? memoryFault(snapshot.name, { machine, memory: kept }, plan) : null,
  }
  const raised = await tx
    .updateTable('environments')
    .set({
      spec_version: sql`spec_version + 1`,
      desired_phase: 'running',
      source: JSON.stringify(source),
      source_snapshot_id: snapshot.id,
    })
    .where('id', '=', row.id)
    .returning(environmentColumns)
    .executeTakeFirstOrThrow()
  const status = {
    ...raised.status,
    failure: null,
    failedAt: null,
    identity: null,
    // What its runner saw before says nothing about the machine that is put back.
    leastGeneration: raised.spec_version,
  }
  await requestOrders(tx, environmentWork.kind, [{ id: row.id, runnerId }])
  return movePhase(tx, raised, { phase: 'starting', status, now })
}

function requireRestorable(row: EnvironmentRow): string {
  const refuse = (because: string) => new HearthError('conflict', `environment ${row.name} ${because}`)
  if (row.desired_phase === 'deleted') throw refuse('is being deleted')
  const isKnown = row.phase === 'running' || row.phase === 'stopped' || row.phase === 'failed'
  if (!isKnown || row.status.readyAt === null)
    throw refuse(`is ${row.phase}: what is put back runs, is stopped, or failed after it had run`)
  if (row.runner_id === null || row.unreachable)
    throw refuse('cannot be put back now: its runner is silent; try again when it is back')
  return row.runner_id
}
