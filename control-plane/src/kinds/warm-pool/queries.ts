import type { Command, Failure } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { buildPlan, configurationOf } from '../environment/index.ts'
import type { ProjectRow } from '../project/index.ts'
import type { ObservedPool } from './decide.ts'
import { emptyPoolStatus, type WarmPoolRow } from './table.ts'

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

export async function insertWarmPool(
  tx: DatabaseTransaction,
  created: {
    project: ProjectRow
    environmentClass: { id: string; name: string }
    creator: string
    labels: Record<string, string>
    spec: { enabled: boolean; min: number; setup: Command[] }
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
      status: JSON.stringify(emptyPoolStatus),
      project_id: created.project.id,
      environment_class_id: created.environmentClass.id,
      phase: created.spec.enabled ? 'filling' : 'disabled',
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function updateWarmPoolSpec(
  tx: DatabaseTransaction,
  id: string,
  change: { labels: Record<string, string>; spec: WarmPoolRow['spec']; phase: WarmPoolRow['phase'] },
): Promise<WarmPoolRow> {
  return tx
    .updateTable('warm_pools')
    .set({
      labels: JSON.stringify(change.labels),
      spec: JSON.stringify(change.spec),
      phase: change.phase,
      spec_version: sql`spec_version + 1`,
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
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

/** Causes that say nothing of the set-up: a host that went away or had no room. */
const foreignCauses = ['no_runner_fits', 'runner_lost', 'image_missing'] as const
const bootsLookedAt = 10

export interface PoolSight {
  seen: ObservedPool
  claimed: number
}

/** The pool's surroundings, as of this transaction; the pool's own row must have been read under lock. */
export async function observePool(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  project: ProjectRow,
  now: Date,
): Promise<PoolSight> {
  const { spec: classSpec } = await tx
    .selectFrom('environment_classes')
    .select('spec')
    .where('id', '=', pool.environment_class_id)
    .executeTakeFirstOrThrow()
  const configuration = configurationOf(buildPlan(project.spec, classSpec, pool.spec.setup))
  const rows = await tx
    .selectFrom('environments')
    .leftJoin('runners', 'runners.id', 'environments.runner_id')
    .select([
      'environments.id',
      'environments.phase',
      'environments.desired_phase',
      'environments.claim_id',
      'environments.configuration',
      'environments.created_at',
      sql<string | null>`environments.status->>'failedAt'`.as('failed_at'),
      'runners.phase as runner_phase',
    ])
    .where('warm_pool_id', '=', pool.id)
    .where('environments.phase', '<>', 'deleted')
    .execute()
  const members = rows
    .filter((row) => row.claim_id === null && row.desired_phase !== 'deleted')
    .map((row) => ({
      id: row.id,
      phase: row.phase,
      current: row.configuration === configuration,
      abandoned:
        row.runner_phase === 'offline' || row.runner_phase === 'draining' || row.runner_phase === 'deleted',
      createdAt: row.created_at,
      failedAt: row.failed_at === null ? null : new Date(row.failed_at),
    }))
  return {
    seen: {
      enabled: pool.spec.enabled,
      min: pool.spec.min,
      deleting: pool.phase === 'deleting' || project.phase === 'deleting',
      members,
      recentBoots: await recentBoots(tx, pool.id, configuration),
      now,
    },
    claimed: rows.filter((row) => row.claim_id !== null && row.desired_phase !== 'deleted').length,
  }
}

async function recentBoots(
  tx: DatabaseTransaction,
  poolId: string,
  configuration: string,
): Promise<ObservedPool['recentBoots']> {
  const { rows } = await sql<{ ready: boolean; failure: Failure | null; at: Date }>`
    SELECT status->>'readyAt' IS NOT NULL AS ready, status->'failure' AS failure,
      coalesce(status->>'readyAt', status->>'failedAt')::timestamptz AS at
    FROM environments
    WHERE warm_pool_id = ${poolId} AND configuration = ${configuration}
      AND (status->>'readyAt' IS NOT NULL
        OR (status->>'failedAt' IS NOT NULL AND status->'failure'->>'code' <> ALL(${foreignCauses})))
    ORDER BY at DESC
    LIMIT ${bootsLookedAt}`.execute(tx)
  return rows.map(({ ready, failure, at }) => ({ failed: !ready, at, failure: ready ? null : failure }))
}
