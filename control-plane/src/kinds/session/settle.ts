import { canonicalJson } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { changeStatus } from './change.ts'
import { decide } from './decide.ts'
import { look } from './look.ts'
import type { SessionRow } from './table.ts'

export interface Settled {
  row: SessionRow
  /** When to look again though nothing is heard; null for never. */
  next: Date | null
}

/**
 * Does what follows from what is wanted and seen of a session. The row must have been read under lock; what differs in it
 * from the stored one is stored with the rest.
 */
export async function settleSession(
  tx: DatabaseTransaction,
  stored: SessionRow,
  at: { now: Date; rest: number },
  reported = stored.status.reported,
): Promise<Settled> {
  const seen = await look(tx, stored, reported, at)
  const settled = decide(seen.session)
  if (settled === null) return { row: stored, next: null }
  const { phase, leaseEndsAt, targets, done, error, failure } = settled
  const status = {
    ...stored.status,
    reported: settled.reported,
    targets,
    done,
    error,
    failure,
    observedSpecVersion: stored.spec_version,
  }
  const isSame =
    phase === stored.phase &&
    leaseEndsAt?.getTime() === stored.lease_ends_at?.getTime() &&
    canonicalJson(status) === canonicalJson(stored.status)
  const row = isSame
    ? stored
    : await changeStatus(tx, stored, status, {
        phase,
        lease_ends_at: leaseEndsAt,
        phase_since: phase === stored.phase ? stored.phase_since : at.now,
      })
  return { row, next: phase === 'ended' ? null : soonest(settled.next, seen.next) }
}

function soonest(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}
