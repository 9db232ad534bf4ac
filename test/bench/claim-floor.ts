import { newId } from '@hearth/foundation'
import type pg from 'pg'

/** Data the floor needs beforehand, so that only its statements are measured. */
export interface Floor {
  organizationId: string
  principalId: string
  projects: readonly string[]
}

export async function prepareFloor(pool: pg.Pool, projects: readonly string[]): Promise<Floor> {
  const { rows } = await pool.query<{ organization_id: string; principal_id: string }>(
    "SELECT organization_id, principal_id FROM tokens WHERE name = 'bootstrap'",
  )
  const [row] = rows
  if (row === undefined) throw new Error('the bootstrap token is missing')
  return { organizationId: row.organization_id, principalId: row.principal_id, projects }
}

/** The transaction of `POST /v1/claims`, statement for statement, with documents of the same size. */
export async function claimByPostgres(
  pool: pg.Pool,
  floor: Floor,
  index: number,
  publicKey: string,
): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const pools = await client.query<{ id: string }>(
      `select "warm_pools"."id", "warm_pools"."name", "warm_pools"."project_id", "projects"."name" as "project_name"
       from "warm_pools" inner join "projects" on "projects"."id" = "warm_pools"."project_id"
       where "warm_pools"."organization_id" = $1 and "warm_pools"."phase" <> $2 and "projects"."phase" = $3
         and "projects"."name" = $4
       order by "warm_pools"."id" for key share of "projects"`,
      [floor.organizationId, 'deleting', 'active', floor.projects[index % floor.projects.length]],
    )
    const poolId = pools.rows[0]?.id
    const claimId = newId()
    const taken = await client.query<{ id: string; status_version: number }>(
      `update "environments" set "claim_id" = $1, "status_version" = status_version + 1, "updated_at" = now()
       where "id" = (select "id" from "environments" where "owner_kind" = $7 and "owner_id" = $2
         and "claim_id" is null and "phase" = $3 and "desired_phase" = $4 and "unreachable" = $5 order by "id" limit $6
         for update skip locked)
       returning *`,
      [claimId, poolId, 'running', 'running', false, 1, 'warm-pool'],
    )
    const member = taken.rows[0]
    if (member === undefined) throw new Error('the pool is empty')
    const claim = await client.query(
      `insert into "claims" ("id", "organization_id", "name", "creator", "labels", "spec", "status", "warm_pool_id",
         "environment_id", "phase") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning *`,
      [
        claimId,
        floor.organizationId,
        `claim-${claimId.slice(-6)}`,
        floor.principalId,
        '{}',
        JSON.stringify({ fallback: 'refuse', publicKey }),
        JSON.stringify({ source: 'running', boundAt: new Date().toISOString(), failure: null }),
        poolId,
        member.id,
        'bound',
      ],
    )
    await client.query(
      `insert into "events" ("id", "organization_id", "verb", "kind", "resource_id", "spec_version", "status_version",
         "resource") values ($1, $2, $3, $4, $5, $6, $7, $8), ($9, $10, $11, $12, $13, $14, $15, $16)`,
      [
        ...[newId(), floor.organizationId, 'created', 'Claim', claimId, 1, 1, JSON.stringify(claim.rows[0])],
        ...[newId(), floor.organizationId, 'updated', 'Environment', member.id, 1],
        ...[member.status_version, JSON.stringify(member)],
      ],
    )
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
