import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { isBooting } from '../environment/index.ts'
import type { SeenRefill } from './refill.ts'
import type { Surroundings } from './surroundings.ts'
import type { WarmPoolRow } from './table.ts'

/** The runners that the pool's machines may be placed on. */
export async function runnersOf(
  queryable: Queryable,
  pool: Pick<WarmPoolRow, 'organization_id'>,
  { class_spec: { region, runnerSelector, image } }: Pick<Surroundings, 'class_spec'>,
): Promise<{ id: string; boot_slots: number | null }[]> {
  return queryable
    .selectFrom('runners')
    .select(['id', sql<number | null>`(status->'facts'->>'bootSlots')::int`.as('boot_slots')])
    .where('organization_id', '=', pool.organization_id)
    .where('phase', '=', 'active')
    .where(sql<boolean>`spec->>'scheduling' = 'enabled' AND status->'facts'->'images' ? ${image}
      AND labels @> ${JSON.stringify(runnerSelector)}::jsonb AND (${region}::text IS NULL OR spec->>'region' = ${region})`)
    .execute()
}

/** What boots on those runners. */
export async function lookAtRefill(
  tx: DatabaseTransaction,
  pool: Pick<WarmPoolRow, 'id' | 'organization_id'>,
  surroundings: Pick<Surroundings, 'class_spec'>,
): Promise<SeenRefill> {
  const runners = await runnersOf(tx, pool, surroundings)
  const { rows: boots } = await sql<{ poolId: string | null; count: number }>`
    SELECT CASE WHEN owner_kind = 'warm-pool' AND claim_id IS NULL THEN owner_id END AS "poolId", count(*)::int AS count
    FROM environments
    WHERE organization_id = ${pool.organization_id} AND phase <> 'deleted' AND ${isBooting}
      AND (runner_id IS NULL OR runner_id = ANY(${runners.map(({ id }) => id)}::uuid[]))
    GROUP BY 1`.execute(tx)
  const { rows } = await sql<{ filling: number }>`
    SELECT count(*)::int AS filling FROM warm_pools
    WHERE organization_id = ${pool.organization_id} AND phase = 'filling' AND id <> ${pool.id}`.execute(tx)
  return {
    poolId: pool.id,
    bootSlots: runners.map(({ boot_slots }) => boot_slots),
    boots,
    fillingPools: (rows[0]?.filling ?? 0) + 1,
  }
}
