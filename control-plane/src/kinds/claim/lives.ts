import type { Claim, Connection, LifeStatus } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { lifeShown } from '../environment/index.ts'
import { toListedClaim } from './listed.ts'
import { type ClaimRow, toClaim } from './table.ts'

/** The lives of the environments that claims have, by claim; what has no end is not there. */
async function livesOf(queryable: Queryable, claims: readonly ClaimRow[]): Promise<Map<string, LifeStatus>> {
  const ids = claims.flatMap(({ environment_id }) => (environment_id === null ? [] : [environment_id]))
  if (ids.length === 0) return new Map()
  const rows = await queryable
    .selectFrom('environments')
    .select(['id', 'life', 'phase', 'desired_phase', 'unreachable'])
    .where('id', 'in', ids)
    .execute()
  const byEnvironment = new Map(rows.map((row) => [row.id, lifeShown(row)]))
  return new Map(
    claims.flatMap(({ id, environment_id }) => {
      const life = environment_id === null ? null : (byEnvironment.get(environment_id) ?? null)
      return life === null ? [] : [[id, life] as const]
    }),
  )
}

export async function showClaim(
  queryable: Queryable,
  row: ClaimRow,
  connection: Connection | null = null,
): Promise<Claim> {
  const lives = await livesOf(queryable, [row])
  return toClaim(row, connection, lives.get(row.id) ?? null)
}

export async function showClaims(queryable: Queryable, rows: readonly ClaimRow[]): Promise<Claim[]> {
  const lives = await livesOf(queryable, rows)
  return rows.map((row) => toListedClaim(row, lives.get(row.id) ?? null))
}
