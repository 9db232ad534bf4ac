import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { ProjectRow } from '../project/index.ts'
import { emptyPoolStatus, type PoolSpec, type WarmPoolRow } from './table.ts'

export interface WarmPoolFilter {
  organizationId: string
  name?: string | undefined
  projectId?: string | undefined
  after?: string | undefined
  limit: number
}

export async function listWarmPools(queryable: Queryable, filter: WarmPoolFilter): Promise<WarmPoolRow[]> {
  let query = queryable
    .selectFrom('warm_pools')
    .selectAll()
    .where('organization_id', '=', filter.organizationId)
    .orderBy('id')
    .limit(filter.limit + 1)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId)
  if (filter.after !== undefined) query = query.where('id', '>', filter.after)
  return query.execute()
}

export async function findWarmPool(
  queryable: Queryable,
  organizationId: string,
  id: string,
): Promise<WarmPoolRow | undefined> {
  return queryable
    .selectFrom('warm_pools')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function lockWarmPool(tx: DatabaseTransaction, id: string): Promise<WarmPoolRow | undefined> {
  return tx.selectFrom('warm_pools').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** The same when it is the organization's; everyone else's does not exist. */
export async function lockOwnWarmPool(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
): Promise<WarmPoolRow | undefined> {
  const row = await lockWarmPool(tx, id)
  return row?.organization_id === organizationId ? row : undefined
}

export async function insertWarmPool(
  tx: DatabaseTransaction,
  created: {
    project: ProjectRow
    environmentClass: { id: string; name: string }
    creator: string
    labels: Record<string, string>
    spec: PoolSpec
    uncheckedBranch?: string | null
  },
): Promise<WarmPoolRow> {
  return tx
    .insertInto('warm_pools')
    .values({
      id: newId(),
      organization_id: created.project.organization_id,
      name: `${created.project.name}-${created.environmentClass.name}`,
      creator: created.creator,
      labels: JSON.stringify(created.labels),
      spec: JSON.stringify(created.spec),
      status: JSON.stringify({ ...emptyPoolStatus, uncheckedBranch: created.uncheckedBranch ?? null }),
      project_id: created.project.id,
      environment_class_id: created.environmentClass.id,
      phase: created.spec.enabled ? 'filling' : 'disabled',
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export interface PoolChange {
  labels: Record<string, string>
  spec: WarmPoolRow['spec']
  phase: WarmPoolRow['phase']
  cleared: boolean
  /** Forgets the boots so far, so that a pool that had stopped tries again. */
  freshStart?: boolean
  /** As in the status; left as it is when it is not given. */
  uncheckedBranch?: string | null | undefined
}

/** Writes what is wanted of a pool, under a new version. */
export async function updateWarmPool(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  change: PoolChange,
): Promise<WarmPoolRow> {
  const { freshStart = false, uncheckedBranch = row.status.uncheckedBranch ?? null } = change
  const forgotten = { consecutiveFailures: 0, retryAt: null, failure: null }
  const status = { ...row.status, ...(freshStart ? forgotten : {}), uncheckedBranch }
  return tx
    .updateTable('warm_pools')
    .set({
      labels: JSON.stringify(change.labels),
      spec: JSON.stringify(change.spec),
      phase: change.phase,
      cleared: change.cleared,
      spec_version: sql`spec_version + 1`,
      updated_at: sql`now()`,
      status: JSON.stringify(status),
      ...(freshStart ? { boots_since: sql<Date>`now()` } : {}),
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Notes which configuration the pool makes now; boots of machines made before are of another. */
export async function setConfiguration(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  configuration: string,
): Promise<WarmPoolRow> {
  return tx
    .updateTable('warm_pools')
    .set({ configuration, ...(row.configuration === null ? {} : { boots_since: sql<Date>`now()` }) })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function updateWarmPoolStatus(
  tx: DatabaseTransaction,
  id: string,
  change: { phase: WarmPoolRow['phase']; status: WarmPoolRow['status'] },
): Promise<WarmPoolRow> {
  return tx
    .updateTable('warm_pools')
    .set({
      phase: change.phase,
      status: JSON.stringify(change.status),
      status_version: sql`status_version + 1`,
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function deleteWarmPool(tx: DatabaseTransaction, id: string): Promise<void> {
  await tx.deleteFrom('warm_pools').where('id', '=', id).execute()
}
