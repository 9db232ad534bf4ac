import { longestSimulatedDays, mostSimulatedClaims } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'

/**
 * When the pool's newest claims came that are still known, the earliest first, in milliseconds since 1970. Of those it could not meet
 * only the span of ten seconds is known.
 */
export async function knownClaims(queryable: Queryable, poolId: string, now: Date): Promise<number[]> {
  const oldest = new Date(now.getTime() - longestSimulatedDays * 86_400_000)
  const { rows } = await sql<{ at: Date; claims: number }>`
    SELECT at, claims FROM (
      SELECT created_at AS at, 1 AS claims FROM claims WHERE warm_pool_id = ${poolId} AND created_at >= ${oldest}
      UNION ALL
      SELECT span, claims FROM warm_pool_refusals WHERE warm_pool_id = ${poolId} AND span >= ${oldest}
    ) AS known ORDER BY at DESC LIMIT ${mostSimulatedClaims}`.execute(queryable)
  return rows
    .flatMap(({ at, claims }) => Array.from({ length: claims }, () => at.getTime()))
    .slice(0, mostSimulatedClaims)
    .toReversed()
}

const wakesMeasured = 50

/** Time in which nine of ten of the pool's newest claims of a member at rest had it running; null where there are none. */
export async function measureWake(queryable: Queryable, poolId: string): Promise<number | null> {
  const { rows } = await sql<{ seconds: number | null }>`
    SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM bound_at - created_at)) AS seconds
    FROM (SELECT (status->>'boundAt')::timestamptz AS bound_at, created_at FROM claims
      WHERE warm_pool_id = ${poolId} AND status->>'source' IN ('suspended', 'stopped', 'resumable')
        AND status->>'boundAt' IS NOT NULL
      ORDER BY created_at DESC LIMIT ${wakesMeasured}) AS newest`.execute(queryable)
  const seconds = rows[0]?.seconds ?? null
  return seconds === null ? null : Math.max(1, Math.round(Number(seconds) * 1_000))
}

const bootsMeasured = 50

/** Medians of the pool's newest boots, in milliseconds: from the slot to the ready machine, and of the slot itself. */
export async function measureBoot(
  queryable: Queryable,
  poolId: string,
): Promise<{ boot: number; slot: number } | null> {
  const finished = (step: string) =>
    sql`(jsonb_path_query_first(status, ${`$.steps[*] ? (@.name == "${step}").finishedAt`}::jsonpath) #>> '{}')::timestamptz`
  const { rows } = await sql<{ boot: number | null; slot: number | null }>`
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM boot_ended_at - began)) AS boot,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM answered - began)) AS slot
    FROM (SELECT boot_ended_at, (status->'steps'->0->>'startedAt')::timestamptz AS began,
        ${finished('ensure_server')} AS answered
      FROM environments
      WHERE owner_id = ${poolId} AND owner_kind = 'warm-pool' AND boot_ended_at IS NOT NULL
        AND status->>'readyAt' IS NOT NULL AND status->'steps'->0->>'startedAt' IS NOT NULL
      ORDER BY boot_ended_at DESC LIMIT ${bootsMeasured}) AS newest`.execute(queryable)
  const { boot = null, slot = null } = rows[0] ?? {}
  if (boot === null) return null
  const milliseconds = Math.max(1, Math.round(Number(boot) * 1_000))
  const ofSlot = slot === null ? milliseconds : Math.max(1, Math.round(Number(slot) * 1_000))
  return { boot: milliseconds, slot: Math.min(milliseconds, ofSlot) }
}
