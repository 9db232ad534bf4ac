import type { Explanation } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import { buildPlan, prebuiltStart } from '../environment/index.ts'
import { readSurroundings } from './queries.ts'
import { showWarmPool } from './show.ts'
import { poolSpec, type WarmPoolRow } from './table.ts'
import { explain, type PoolSight } from './why.ts'

/** Reads a pool and its members, and explains the pool's phase. */
export async function explainWarmPool(queryable: Queryable, row: WarmPoolRow): Promise<Explanation> {
  const groups = await queryable
    .selectFrom('environments')
    .select([
      'phase',
      sql<boolean>`desired_phase = 'deleted'`.as('going'),
      sql<string | null>`CASE WHEN phase = 'pending' THEN status->>'placement' END`.as('placement'),
      sql<string>`count(*)`.as('count'),
    ])
    .where('owner_kind', '=', 'warm-pool')
    .where('owner_id', '=', row.id)
    .where('claim_id', 'is', null)
    .where('phase', '<>', 'deleted')
    .groupBy([
      'phase',
      sql`desired_phase = 'deleted'`,
      sql`CASE WHEN phase = 'pending' THEN status->>'placement' END`,
    ])
    .orderBy(sql`count(*)`, 'desc')
    .limit(20)
    .execute()
  const members = groups.map((group) => ({ ...group, count: Number(group.count) }))
  const pool = await showWarmPool(queryable, row)
  return {
    kind: 'WarmPool',
    id: row.id,
    name: row.name,
    phase: pool.status.phase,
    ...explain({ pool, members, start: await startOf(queryable, row) }),
  }
}

async function startOf(queryable: Queryable, row: WarmPoolRow): Promise<PoolSight['start']> {
  const around = (await readSurroundings(queryable, [row.id])).get(row.id)
  if (around === undefined) return { prebuild: null, reason: null }
  const { project_spec: spec, class_spec } = around
  const { branch, ...owned } = poolSpec(row)
  const { source, startReason } = await prebuiltStart(queryable, {
    project: { id: row.project_id, spec },
    environmentClassId: row.environment_class_id,
    plan: buildPlan(spec, class_spec, { ...owned, branch }),
    branch,
  })
  return { prebuild: source?.prebuild?.name ?? null, reason: startReason }
}
