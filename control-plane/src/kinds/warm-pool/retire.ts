import type { Deletion, DeletionReason, RunnerPhase } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { desireDeletion, environmentColumns, environments } from '../environment/index.ts'

/** Removes one member, unless a claim or an administrator that committed first has it: it is read again under lock. */
export async function retireMember(
  tx: DatabaseTransaction,
  { id, poolId }: { id: string; poolId: string },
  reasonOn: (runner: RunnerPhase | null) => DeletionReason,
  now: Date,
): Promise<void> {
  const member = await environments.lockById(tx, id)
  if (member?.warm_pool_id !== poolId || member.claim_id !== null || member.desired_phase === 'deleted')
    return
  await desireDeletion(tx, member, { reason: reasonOn(await runnerPhase(tx, member.runner_id)) }, now)
}

async function runnerPhase(tx: DatabaseTransaction, id: string | null): Promise<RunnerPhase | null> {
  if (id === null) return null
  const runner = await tx.selectFrom('runners').select('phase').where('id', '=', id).executeTakeFirst()
  return runner?.phase ?? null
}

/** Removes every unclaimed member of a pool (`warm_pool_id`), or every test of its steps (`tested_pool_id`). */
export async function retireAll(
  tx: DatabaseTransaction,
  column: 'warm_pool_id' | 'tested_pool_id',
  poolId: string,
  because: Pick<Deletion, 'reason'> & { principalId?: string },
  now: Date,
): Promise<void> {
  const rows = await tx
    .selectFrom('environments')
    .select(environmentColumns)
    .where(column, '=', poolId)
    .where('claim_id', 'is', null)
    .where('phase', '<>', 'deleted')
    .where('desired_phase', '<>', 'deleted')
    .orderBy('id')
    .forUpdate()
    .execute()
  for (const row of rows) await desireDeletion(tx, row, because, now)
}
