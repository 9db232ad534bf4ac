import { HearthError } from '@hearth/foundation'
import type { CommandContext } from '../../../api/command.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { projects } from '../../project/index.ts'
import { poolOfProject, warmPools } from '../queries.ts'
import { showWarmPool } from '../show.ts'
import { poolSpec, type WarmPoolRow } from '../table.ts'
import { createWarmPool } from './create.ts'

/** A pool by its id, or as that of a project (id or name), for those to whom a project has one pool. */
export type PoolReference = string | { project: string }

export interface OnPool<Body> {
  reference: PoolReference
  body: Body
}

/** Of the machines that a pool has when nobody named a class: that of a project file. */
const standardClass = 'small'

/** The pool under lock, for a change; a project that has none gets a disabled one. */
export async function lockPool(
  tx: DatabaseTransaction,
  context: CommandContext,
  reference: PoolReference,
): Promise<WarmPoolRow> {
  if (typeof reference === 'string') return warmPools.lockForChange(tx, context, reference)
  const { caller } = context
  const project = found(await projects.lock(tx, caller, reference.project), 'project', reference.project)
  const pool = await poolOfProject(tx, caller, project.id)
  if (pool !== undefined) return warmPools.lockForChange(tx, context, pool.id)
  const spec = poolSpec({ spec: { enabled: false, min: 1, setup: [] } })
  const body = { labels: {}, spec: { ...spec, projectId: project.id, environmentClassId: standardClass } }
  return createWarmPool.run(tx, context, body, null)
}

export function refuseWhileDeleting(row: WarmPoolRow): void {
  if (row.phase === 'deleting') throw new HearthError('conflict', `pool ${row.name} is being deleted`)
}

/** Records that the pool has changed, and has it reconciled. */
export async function recordChange(tx: DatabaseTransaction, row: WarmPoolRow): Promise<void> {
  await recordEvent(tx, 'updated', await showWarmPool(tx, row))
  await wake(tx, 'warm-pool', row.id)
}
