import type { Reconciler } from '../../reconciling/reconciler.ts'
import { lockRunner } from './queries.ts'
import { settleRunner } from './settle.ts'

/** Notices silence: presence itself is noted as it comes. */
export const runnerReconciler: Reconciler = {
  kind: 'runner',
  async reconcile(id, { tx, clock }) {
    const row = await lockRunner(tx, id)
    if (row === undefined) return null
    const { next } = await settleRunner(tx, row, {}, clock.now())
    return next
  },
}
