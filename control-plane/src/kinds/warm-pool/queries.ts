import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { WarmPoolRow } from './table.ts'

export const warmPools = resourceQueries('warm_pools', { noun: 'warm pool' })

export interface PoolChange {
  labels: Record<string, string>
  spec: WarmPoolRow['spec']
  phase: WarmPoolRow['phase']
  cleared: boolean
  /** Forgets the boots so far, so that a pool that had stopped tries again. */
  freshStart?: boolean
  /** As in the status; left as it is when it is not given. */
  uncheckedBranch?: string | null | undefined
}

/** Writes what is wanted of a pool, under a new version. */
export async function updateWarmPool(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  change: PoolChange,
): Promise<WarmPoolRow> {
  const { freshStart = false, uncheckedBranch = row.status.uncheckedBranch ?? null } = change
  const forgotten = { consecutiveFailures: 0, retryAt: null, failure: null }
  const status = { ...row.status, ...(freshStart ? forgotten : {}), uncheckedBranch }
  const { labels, spec, phase, cleared } = change
  const boots_since = freshStart ? sql<Date>`now()` : undefined
  return warmPools.changeSpec(tx, row.id, { labels, spec, phase, cleared, status, boots_since })
}

/** Notes which configuration the pool makes now; boots of machines made before are of another. */
export async function setConfiguration(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  configuration: string,
): Promise<WarmPoolRow> {
  return tx
    .updateTable('warm_pools')
    .set({ configuration, ...(row.configuration === null ? {} : { boots_since: sql<Date>`now()` }) })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}
