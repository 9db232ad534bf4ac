import type { Clock } from '@hearth/foundation'
import type { DatabaseTransaction } from '../database/connection.ts'
import type { Timings } from '../timings.ts'
import type { ReconciledKind } from './wake.ts'

export interface ReconcileTools {
  tx: DatabaseTransaction
  clock: Clock
  timings: Timings
}

/**
 * Brings one resource closer to its desired state, in one transaction. It gets an id and no hint of what changed, so
 * that it does the same after a restart, a lost event or a timer. Returns when to reconcile again, or null when only an
 * event can change anything.
 */
export interface Reconciler {
  kind: ReconciledKind
  reconcile(id: string, tools: ReconcileTools): Promise<Date | null>
}
