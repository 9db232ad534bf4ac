import type { QuotaLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { desirePhase, type EnvironmentRow, environments, lackOnHost } from '../environment/index.ts'
import type { RestingPhase } from './decide.ts'

/** Before placement and a quota are locked, for which a claim may wait that holds one of these. */
export async function lockMembers(tx: DatabaseTransaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.selectFrom('environments').select('id').where('id', 'in', ids).orderBy('id').forUpdate().execute()
}

/** Puts a member to rest, or lets it run on, unless a claim or an administrator has taken it meanwhile. */
export async function moveMember(
  tx: DatabaseTransaction,
  member: { id: string; poolId: string },
  desired: RestingPhase | 'running',
  readLimits: () => Promise<QuotaLimits>,
): Promise<boolean> {
  const row = await lockUnclaimed(tx, member)
  if (row === undefined) return false
  try {
    await desirePhase(tx, row, desired, await readLimits())
    return true
  } catch (error) {
    // A quota keeps it from running, or it has moved on since it was looked at: the next look finds what is so.
    if (!(error instanceof HearthError)) throw error
    return false
  }
}

/** Lets so many members run again; what the last runner lacked for it, where those with room did not suffice. */
export async function wakeMembers(
  tx: DatabaseTransaction,
  poolId: string,
  { count, among }: { count: number; among: readonly string[] },
  { now, readLimits }: { now: Date; readLimits: () => Promise<QuotaLimits> },
): Promise<string | null> {
  let woken = 0
  let lack: string | null = null
  const full = new Set<string | null>()
  for (const id of among) {
    if (woken === count) return null
    const row = await lockUnclaimed(tx, { id, poolId })
    if (row === undefined || full.has(row.runner_id)) continue
    const lackThere = await lackOnHost(tx, row, now)
    if (lackThere === null) {
      woken += Number(await moveMember(tx, { id, poolId }, 'running', readLimits))
    } else {
      full.add(row.runner_id)
      lack = lackThere
    }
  }
  return woken === count ? null : lack
}

async function lockUnclaimed(
  tx: DatabaseTransaction,
  { id, poolId }: { id: string; poolId: string },
): Promise<EnvironmentRow | undefined> {
  const row = await environments.lockById(tx, id)
  const isMember = row?.owner_kind === 'warm-pool' && row.owner_id === poolId
  return isMember && row.claim_id === null && row.desired_phase !== 'deleted' ? row : undefined
}
