import type { QuotaLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { desirePhase, environments } from '../environment/index.ts'
import type { RestingPhase } from './decide.ts'

/** Before a quota is locked, for which a claim may wait that holds one of these. */
export async function lockMembers(tx: DatabaseTransaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.selectFrom('environments').select('id').where('id', 'in', ids).orderBy('id').forUpdate().execute()
}

/** Puts a member to rest or wakes it, unless a claim or an administrator has taken it meanwhile. */
export async function moveMember(
  tx: DatabaseTransaction,
  { id, poolId }: { id: string; poolId: string },
  desired: RestingPhase | 'running',
  readLimits: () => Promise<QuotaLimits>,
): Promise<void> {
  const member = await environments.lockById(tx, id)
  const isMember = member?.owner_kind === 'warm-pool' && member.owner_id === poolId
  if (!isMember || member.claim_id !== null || member.desired_phase === 'deleted') return
  try {
    await desirePhase(tx, member, desired, await readLimits())
  } catch (error) {
    // A quota keeps it from running, or it has moved on since it was looked at: the next look finds what is so.
    if (!(error instanceof HearthError)) throw error
  }
}
