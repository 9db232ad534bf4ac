import type { Reconciler } from '../../reconciling/reconciler.ts'
import { snapshots } from './queries.ts'
import { settleSnapshot } from './settle.ts'

export const snapshotReconciler: Reconciler = {
  kind: 'snapshot',
  async reconcile(id, { tx, clock }) {
    const row = await snapshots.lockById(tx, id)
    if (row === undefined) return null
    const { deadline } = await settleSnapshot(tx, row, clock.now())
    return deadline
  },
}
