import {
  bootAttempts,
  type EnvironmentClassSpec,
  type InstanceState,
  type ProjectSpec,
  type WarmPool,
} from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import { metadataOf } from '../../database/resource-row.ts'
import { buildPlan, configurationOf } from '../environment/index.ts'
import { instanceState } from './instance-state.ts'
import { poolPhase } from './phase.ts'
import { poolSpec, type WarmPoolRow } from './table.ts'

/** The pools as they are at this moment: the machines of all are counted in one query. */
export async function showWarmPools(queryable: Queryable, rows: readonly WarmPoolRow[]): Promise<WarmPool[]> {
  const sights = await lookAt(
    queryable,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => toWarmPool(row, sights.get(row.id) ?? null))
}

export async function showWarmPool(queryable: Queryable, row: WarmPoolRow): Promise<WarmPool> {
  return toWarmPool(row, (await lookAt(queryable, [row.id])).get(row.id) ?? null)
}

/** Fingerprint of what the pool would make now. */
export async function presentConfiguration(queryable: Queryable, row: WarmPoolRow): Promise<string> {
  return configurationFor(row, await lookAtPool(queryable, row.id))
}

/** What a pool's show and its configuration need to know of its surroundings. */
export interface PoolSight {
  project_name: string
  project_phase: string
  project_spec: ProjectSpec
  class_spec: EnvironmentClassSpec
  groups: { state: InstanceState; configuration: string; count: number }[]
}

/** As they are at this moment; the pool must be there. */
export async function lookAtPool(queryable: Queryable, id: string): Promise<PoolSight> {
  const sight = (await lookAt(queryable, [id])).get(id)
  if (sight === undefined) throw new Error(`pool ${id} has no project or no class`)
  return sight
}

async function lookAt(queryable: Queryable, ids: readonly string[]): Promise<Map<string, PoolSight>> {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<PoolSight & { id: string }>`
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
        WHERE environments.warm_pool_id = warm_pools.id AND environments.phase <> 'deleted'
        GROUP BY 1, 2
      ) alike
    ) counted ON true
    WHERE warm_pools.id = ANY(${ids}::uuid[])`.execute(queryable)
  return new Map(rows.map((row) => [row.id, row]))
}

export function configurationFor(
  row: WarmPoolRow,
  sight: Pick<PoolSight, 'project_spec' | 'class_spec'>,
): string {
  return configurationOf(buildPlan(sight.project_spec, sight.class_spec, poolSpec(row)))
}

/** `null` for a pool that is gone. */
export function toWarmPool(row: WarmPoolRow, sight: PoolSight | null): WarmPool {
  const spec = poolSpec(row)
  const configuration = sight === null ? null : configurationFor(row, sight)
  const count = (state: InstanceState, made?: string | null) =>
    (sight?.groups ?? [])
      .filter((group) => group.state === state && (made === undefined || group.configuration === made))
      .reduce((sum, group) => sum + group.count, 0)
  // What is known of boots is of the configuration that the last reconcile saw.
  const { consecutiveFailures, retryAt, failure } =
    configuration === row.configuration
      ? row.status
      : { consecutiveFailures: 0, retryAt: null, failure: null }
  return {
    kind: 'WarmPool',
    metadata: metadataOf(row),
    spec: { projectId: row.project_id, environmentClassId: row.environment_class_id, ...spec },
    specVersion: row.spec_version,
    status: {
      phase: poolPhase({
        ...spec,
        cleared: row.cleared,
        deleting: row.phase === 'deleting' || sight?.project_phase === 'deleting',
        readyAndCurrent: count('ready', configuration),
        stopped: consecutiveFailures >= bootAttempts,
      }),
      ready: count('ready'),
      provisioning: count('provisioning'),
      failed: count('failed'),
      claimed: count('claimed'),
      consecutiveFailures,
      retryAt,
      failure,
      uncheckedBranch: row.status.uncheckedBranch ?? null,
      quota: row.status.quota ?? null,
      observedSpecVersion: row.status.observedSpecVersion,
      deadline: null,
    },
    statusVersion: row.status_version,
  }
}
