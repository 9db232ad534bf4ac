import type { Caller } from '../../api/caller.ts'
import type { CommandContext } from '../../api/command.ts'
import { found } from '../../api/lookup.ts'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { environmentClasses } from '../environment-class/index.ts'
import { projects } from '../project/index.ts'
import { createWarmPool } from './change.ts'
import { warmPools } from './queries.ts'
import type { WarmPoolRow } from './table.ts'

/** A pool by its id, or as that of a project (id or name), for those to whom a project has one pool. */
export type PoolReference = string | { project: string }

/** Of the machines that a pool has when nobody named a class: that of a project file. */
const standardClass = 'small'

/** The first pool that the project was given; undefined where it has none. */
export async function poolOfProject(
  queryable: Queryable,
  caller: Pick<Caller, 'organizationId'>,
  projectId: string,
): Promise<WarmPoolRow | undefined> {
  const page = { organizationId: caller.organizationId, limit: 1 }
  return (await warmPools.list(queryable, page, { project_id: projectId }))[0]
}

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
  return createWarmPool(tx, {
    project,
    environmentClass: await environmentClasses.get(tx, caller, standardClass),
    creator: caller.principalId,
    limits: caller.limits,
    labels: {},
    spec: { enabled: false, min: 1, branch: null, maxAgeMinutes: null, setup: [] },
  })
}
