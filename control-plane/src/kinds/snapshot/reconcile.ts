import type { Reconciler } from '../../reconciling/reconciler.ts'
import { nextLook } from './copies/next-look.ts'
import { addWantedCopies } from './copies/wanted.ts'
import { snapshots } from './queries.ts'
import { settleSnapshot } from './settle.ts'

export const snapshotReconciler: Reconciler = {
  kind: 'snapshot',
  async reconcile(id, { tx, clock }) {
    const row = await snapshots.lockById(tx, id)
    if (row === undefined) return null
    const now = clock.now()
    const settled = await settleSnapshot(tx, row, now)
    const isChanged = await addWantedCopies(tx, settled, now)
    return nextLook(tx, isChanged ? await settleSnapshot(tx, settled, now) : settled, now)
  },
}
