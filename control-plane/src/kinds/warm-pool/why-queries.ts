import type { Explanation } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../database/connection.ts'
import { showWarmPool } from './show.ts'
import type { WarmPoolRow } from './table.ts'
import { explain } from './why.ts'

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
    ...explain({ pool, members }),
  }
}
