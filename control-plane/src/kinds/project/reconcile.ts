import type { Reconciler } from '../../reconciling/reconciler.ts'
import { recordEvent } from '../event/index.ts'
import { deleteProject, dependentsOf } from './queries.ts'
import { toProject } from './table.ts'

/** A project that is being deleted goes once nothing of it is left; its pools and machines see to themselves. */
export const projectReconciler: Reconciler = {
  kind: 'project',
  async reconcile(id, { tx }) {
    const row = await tx
      .selectFrom('projects')
      .selectAll()
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined || row.phase !== 'deleting') return null
    const { warmPoolIds, environmentIds } = await dependentsOf(tx, id)
    if (warmPoolIds.length > 0 || environmentIds.length > 0) return null
    await deleteProject(tx, id)
    await recordEvent(tx, 'deleted', toProject(row))
    return null
  },
}
