import type { Deletion, DeletionReason } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import {
  desireDeletion,
  type EnvironmentOwner,
  environmentColumns,
  environments,
} from '../environment/index.ts'

/**
 * Deletes one member, unless a claim or an administrator has taken it meanwhile: it is read again under lock. Returns
 * whether it is deleted.
 */
export async function retireMember(
  tx: DatabaseTransaction,
  { id, poolId }: { id: string; poolId: string },
  reason: DeletionReason,
  now: Date,
): Promise<boolean> {
  const member = await environments.lockById(tx, id)
  const isMember = member?.owner_kind === 'warm-pool' && member.owner_id === poolId
  if (!isMember || member.claim_id !== null || member.desired_phase === 'deleted') return false
  await desireDeletion(tx, member, { reason }, now)
  return true
}

/** Removes every unclaimed member of a pool, or every test of its steps. */
export async function retireAll(
  tx: DatabaseTransaction,
  owner: EnvironmentOwner,
  because: Pick<Deletion, 'reason'> & { principalId?: string },
  now: Date,
): Promise<void> {
  const rows = await tx
    .selectFrom('environments')
    .select(environmentColumns)
    .where('owner_kind', '=', owner.kind)
    .where('owner_id', '=', owner.id)
    .where('claim_id', 'is', null)
    .where('phase', '<>', 'deleted')
    .where('desired_phase', '<>', 'deleted')
    .orderBy('id')
    .forUpdate()
    .execute()
  for (const row of rows) await desireDeletion(tx, row, because, now)
}
