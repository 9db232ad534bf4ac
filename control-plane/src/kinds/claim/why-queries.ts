import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { explainEnvironment, findEnvironment, lifeShown } from '../environment/index.ts'
import { claims } from './queries.ts'
import { type ClaimRow, toClaim } from './table.ts'
import { explain } from './why.ts'

/** Reads a claim, its pool and its environment, and explains the claim's phase. */
export async function explainClaim(queryable: Queryable, row: ClaimRow, now: Date): Promise<Explanation> {
  const environment =
    row.environment_id === null
      ? undefined
      : await findEnvironment(queryable, { organizationId: row.organization_id }, row.environment_id)
  const pool = await queryable
    .selectFrom('warm_pools')
    .select('name')
    .where('id', '=', row.warm_pool_id)
    .executeTakeFirst()
  const runnerId = row.status.lost?.runnerId
  const lostRunner =
    runnerId === undefined
      ? undefined
      : await queryable.selectFrom('runners').select('name').where('id', '=', runnerId).executeTakeFirst()
  const originId = row.status.forkOf?.claimId
  const origin = originId === undefined ? undefined : await claims.readById(queryable, originId)
  const reasons = explain({
    claim: toClaim(row, null, lifeShown(environment)),
    pool: pool?.name ?? null,
    machine: environment === undefined ? null : await explainEnvironment(queryable, environment, now),
    lostRunner: lostRunner?.name ?? null,
    forked: origin === undefined ? null : `claim ${origin.name}`,
  })
  return { kind: 'Claim', id: row.id, name: row.name, phase: row.phase, ...reasons }
}
