import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { type OrganizationScope, resourceQueries } from '../../resource/queries.ts'
import { instanceState } from './instance-state.ts'
import type { Surroundings } from './surroundings.ts'
import type { StoredScaling, WarmPoolRow } from './table.ts'

export const warmPools = resourceQueries('warm_pools', { noun: 'warm pool', names: 'shared' })

/** The first pool that the project was given; undefined where it has none. */
export async function poolOfProject(
  queryable: Queryable,
  { organizationId }: OrganizationScope,
  projectId: string,
): Promise<WarmPoolRow | undefined> {
  return (await warmPools.list(queryable, { organizationId, limit: 1 }, { project_id: projectId }))[0]
}

/** Of each pool that is there, as they are at this moment. */
export async function readSurroundings(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Map<string, Surroundings>> {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<Surroundings & { id: string }>`
    SELECT warm_pools.id, projects.name AS project_name, projects.phase AS project_phase,
      projects.spec AS project_spec, environment_classes.spec AS class_spec, coalesce(counted.groups, '[]'::jsonb) AS groups
    FROM warm_pools
    JOIN projects ON projects.id = warm_pools.project_id
    JOIN environment_classes ON environment_classes.id = warm_pools.environment_class_id
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(to_jsonb(alike)) AS groups
      FROM (
        SELECT ${instanceState} AS state, environments.configuration, count(*) AS count
        FROM environments
        WHERE environments.owner_id = warm_pools.id AND environments.owner_kind = 'warm-pool'
          AND environments.phase <> 'deleted'
        GROUP BY 1, 2
      ) alike
    ) counted ON true
    WHERE warm_pools.id = ANY(${ids}::uuid[])`.execute(queryable)
  return new Map(rows.map((row) => [row.id, row]))
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
  const { labels, spec, phase, cleared } = change
  const boots_since = freshStart ? sql<Date>`now()` : undefined
  return warmPools.changeSpec(tx, row.id, { labels, spec, phase, cleared, status, boots_since })
}

/** Stores what the pool remembers of its size, which is no change of its status. */
export async function storeScaling(
  tx: DatabaseTransaction,
  row: WarmPoolRow,
  scaling: StoredScaling | null,
): Promise<void> {
  if (scaling === null && row.scaling === null) return
  await tx
    .updateTable('warm_pools')
    .set({ scaling: scaling === null ? null : JSON.stringify(scaling) })
    .where('id', '=', row.id)
    .execute()
}

/** Stores the pool's present configuration; boots of earlier environments are of another one. */
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

/** Whether a degraded runner's pause is over and no environment is being provisioned on it. */
export async function isTrialDue(queryable: Queryable, organizationId: string, now: Date): Promise<boolean> {
  const { rows } = await sql<{ due: boolean }>`
    SELECT EXISTS (
      SELECT FROM runners WHERE organization_id = ${organizationId} AND phase = 'degraded'
        AND (health->>'probeAt')::timestamptz <= ${now} AND spec->>'scheduling' = 'enabled'
        AND NOT EXISTS (SELECT FROM environments
          WHERE environments.runner_id = runners.id AND environments.phase = 'provisioning')
    ) AS due`.execute(queryable)
  return rows[0]?.due === true
}
