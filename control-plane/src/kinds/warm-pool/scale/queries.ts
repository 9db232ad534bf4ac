import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { Demand } from './demand.ts'
import { keptMilliseconds, spanMilliseconds, spanOf } from './demand.ts'

const spanSeconds = spanMilliseconds / 1_000

/** The claims of a pool since a time, those too that were refused, by the span of time they were made in. */
export async function countClaims(
  queryable: Queryable,
  poolId: string,
  since: Demand['openFrom'],
): Promise<[from: number, claims: number][]> {
  const from = new Date(since)
  const { rows } = await sql<{ span: string; claims: string }>`
    SELECT span, sum(claims) AS claims FROM (
      SELECT floor(extract(epoch FROM created_at) / ${spanSeconds}::int) * ${spanSeconds}::int AS span, count(*) AS claims
      FROM claims WHERE warm_pool_id = ${poolId} AND created_at >= ${from} GROUP BY 1
      UNION ALL
      SELECT extract(epoch FROM span), claims FROM warm_pool_refusals
      WHERE warm_pool_id = ${poolId} AND span >= ${from}
    ) AS counted GROUP BY span`.execute(queryable)
  return rows.map(({ span, claims }) => [Number(span) * 1_000, Number(claims)])
}

/** Counts a claim that the pool could not meet: nothing else is left of it. Those of more than an hour ago are forgotten. */
export async function countRefusal(queryable: Queryable, poolId: string, now: Date): Promise<void> {
  const span = new Date(spanOf(now.getTime()))
  const oldest = new Date(now.getTime() - keptMilliseconds)
  await sql`
    WITH forgotten AS (DELETE FROM warm_pool_refusals WHERE warm_pool_id = ${poolId} AND span < ${oldest})
    INSERT INTO warm_pool_refusals (warm_pool_id, span, claims) VALUES (${poolId}, ${span}, 1)
    ON CONFLICT (warm_pool_id, span) DO UPDATE SET claims = warm_pool_refusals.claims + 1`.execute(queryable)
}

const bootsMeasured = 20

/** Time in which nine of ten of the pool's newest machines got ready, from the order on; null where there are none. */
export async function measureRefill(queryable: Queryable, poolId: string): Promise<number | null> {
  const { rows } = await sql<{ seconds: string | null }>`
    SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM boot_ended_at - created_at)) AS seconds
    FROM (SELECT boot_ended_at, created_at FROM environments
      WHERE owner_id = ${poolId} AND owner_kind = 'warm-pool' AND boot_ended_at IS NOT NULL
        AND status->>'readyAt' IS NOT NULL
      ORDER BY boot_ended_at DESC LIMIT ${bootsMeasured}) AS newest`.execute(queryable)
  const seconds = rows[0]?.seconds ?? null
  return seconds === null ? null : Math.max(1_000, Math.round(Number(seconds) * 1_000))
}
