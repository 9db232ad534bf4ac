import { z } from '@hono/zod-openapi'
import type { Caller } from '../../api/caller.ts'
import { found } from '../../api/lookup.ts'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { findEnvironmentClass } from '../../kinds/environment-class/index.ts'
import { findProject, lockProject, type ProjectRow } from '../../kinds/project/index.ts'
import { createWarmPool, listWarmPools, lockWarmPool, type WarmPoolRow } from '../../kinds/warm-pool/index.ts'

export const projectParams = z.object({
  projectId: z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/, 'an id, or a name')
    .meta({ description: 'Id of the project, or its name' }),
})

/** Of the machines that a pool has when nobody named a class: that of a project file. */
const standardClass = 'small'

export async function projectOf(queryable: Queryable, caller: Caller, id: string): Promise<ProjectRow> {
  return found(await findProject(queryable, caller.organizationId, id), 'project', id)
}

/** Theirs has one pool a project: the first that was made. */
export async function poolOf(queryable: Queryable, project: ProjectRow): Promise<WarmPoolRow | undefined> {
  const { id: projectId, organization_id: organizationId } = project
  return (await listWarmPools(queryable, { organizationId, projectId, limit: 1 }))[0]
}

/** The project's pool under lock; a disabled one where there was none. */
export async function lockedPool(
  tx: DatabaseTransaction,
  caller: Caller,
  projectId: string,
): Promise<WarmPoolRow> {
  const project = found(await lockProject(tx, caller.organizationId, projectId), 'project', projectId)
  const pool = await poolOf(tx, project)
  if (pool !== undefined) return found(await lockWarmPool(tx, pool.id), 'warm pool', pool.id)
  const environmentClass = found(
    await findEnvironmentClass(tx, caller.organizationId, standardClass),
    'environment class',
    standardClass,
  )
  return createWarmPool(tx, {
    project,
    environmentClass,
    creator: caller.principalId,
    limits: caller.limits,
    labels: {},
    spec: { enabled: false, min: 1, branch: null, maxAgeMinutes: null, setup: [] },
  })
}
