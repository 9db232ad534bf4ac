import { assertNever } from '@hearth/foundation'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { recordEvent } from '../../resource/record.ts'
import { decide } from './decide.ts'
import { projects, readRemains } from './queries.ts'
import { toProject } from './table.ts'

/**
 * A machine that went while the deletion was being committed woke nobody: it is looked again, also where nothing did.
 */
const lookAgainMilliseconds = 5_000

/** Marks a project deleted once its pools and environments are gone, which their own reconcilers see to. */
export const projectReconciler: Reconciler = {
  kind: 'project',
  async reconcile(id, { tx, clock }) {
    const row = await projects.lockById(tx, id)
    if (row?.phase !== 'deleting') return null
    const deadline = row.status.deadline == null ? null : new Date(row.status.deadline)
    const remains = await readRemains(tx, id)
    const now = clock.now()
    const soon = (until: Date) => new Date(Math.min(until.getTime(), now.getTime() + lookAgainMilliseconds))
    const action = decide({ deleting: true, ...remains, deadline, now })
    switch (action?.do) {
      case undefined:
        return null
      case 'remove':
        await projects.remove(tx, id)
        await recordEvent(tx, 'deleted', toProject(row))
        return null
      case 'wait':
      case 'record-delay': {
        if (action.until.getTime() === deadline?.getTime()) return soon(action.until)
        const failure = action.do === 'record-delay' ? action.failure : (row.status.failure ?? null)
        const status = { failure, deadline: action.until.toISOString() }
        await recordEvent(tx, 'updated', toProject(await projects.changeStatus(tx, id, { status })))
        return soon(action.until)
      }
      default:
        return assertNever(action)
    }
  },
}
