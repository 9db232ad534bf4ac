import { boundsAt, type PoolScaling } from '@hearth/contract'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { poolSpec, type StoredScaling, type WarmPoolRow } from '../table.ts'
import { noDemand, recounted } from './demand.ts'
import { countClaims, measureRefill } from './queries.ts'
import { scale } from './scale.ts'

/** How many environments a pool wants now, and how many of them run. */
export interface PoolSize {
  size: number
  running: number | null
  /** What the pool remembers of it; null for one that does not follow its claims. */
  stored: StoredScaling | null
  scaling: PoolScaling | null
  lookAgainAt: Date | null
}

/** The pool's row must have been read under lock. */
export async function sizeOf(tx: DatabaseTransaction, row: WarmPoolRow, now: Date): Promise<PoolSize> {
  const { min, max, running, schedules, wantedShare } = poolSpec(row)
  const { until, ...bounds } = boundsAt({ min, max: max ?? min, running }, schedules, now)
  if (bounds.max <= bounds.min)
    return { size: bounds.min, running: bounds.running, stored: null, scaling: null, lookAgainAt: until }
  const before = row.scaling
  const known = before?.demand ?? noDemand(now)
  const demand = recounted(known, await countClaims(tx, row.id, known.openFrom), now)
  const refillMilliseconds = await measureRefill(tx, row.id)
  const state = before === null ? null : { size: before.size, fewerSince: before.fewerSince }
  const decision = scale({ demand, bounds, wantedShare, refillMilliseconds, before: state, now })
  return {
    size: decision.state.size,
    running: bounds.running === null ? null : Math.min(bounds.running, decision.state.size),
    stored: { ...decision.state, demand },
    scaling: decision.scaling,
    lookAgainAt: earliest(until, decision.lookAgainAt),
  }
}

function earliest(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}
