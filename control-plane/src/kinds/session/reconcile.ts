import type { Reconciler } from '../../reconciling/reconciler.ts'
import { sessions } from './queries.ts'
import { settleSession } from './settle.ts'

export const sessionReconciler: Reconciler = {
  kind: 'session',
  async reconcile(id, { tx, clock, timings }) {
    const row = await sessions.lockById(tx, id)
    if (row === undefined) return null
    return (await settleSession(tx, row, { now: clock.now(), rest: timings.sessionRest })).next
  },
}
