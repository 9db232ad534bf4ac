import { createHash } from 'node:crypto'
import { canonicalJson } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'

/** All that an order is made of, with the plan and the secrets by what names them. */
export interface OrderFacts {
  id: string
  name: string
  desired_phase: string
  spec_version: number
  configuration: string
  /** Rises whenever the secrets change. */
  project_version: number | null
  runner_id: string
  epoch: number
  runner_status: { facts?: { sealingKey: string } | null }
  organization_status: { userCertificateAuthority: string }
}

/** The columns of `OrderFacts`: none of them grows with a plan. */
export function selectOrderFacts(queryable: Queryable) {
  return queryable
    .selectFrom('environments')
    .innerJoin('runners', 'runners.id', 'environments.runner_id')
    .innerJoin('organizations', 'organizations.id', 'environments.organization_id')
    .leftJoin('projects', 'projects.id', 'environments.project_id')
    .select([
      'environments.id',
      'environments.name',
      'environments.desired_phase',
      'environments.spec_version',
      'environments.configuration',
      'projects.spec_version as project_version',
      'runners.id as runner_id',
      'runners.epoch',
      'runners.status as runner_status',
      'organizations.status as organization_status',
    ])
    .where('environments.phase', '<>', 'deleted')
}

/** Names what an order says: an agent that has the same is not sent it again. */
export function orderDigest(facts: OrderFacts): string {
  const { id, name, desired_phase, spec_version, configuration, project_version, runner_id, epoch } = facts
  const made = { id, name, desired_phase, spec_version, configuration, project_version, runner_id, epoch }
  const keys = {
    sealingKey: facts.runner_status.facts?.sealingKey ?? null,
    userCertificateAuthority: facts.organization_status.userCertificateAuthority,
  }
  return createHash('sha256')
    .update(canonicalJson({ ...made, ...keys }))
    .digest('hex')
    .slice(0, 32)
}

/** What a runner is to have: the digests of its orders by environment, also of those that cannot be made. */
export async function wantedOrders(queryable: Queryable, runnerId: string): Promise<Map<string, string>> {
  const rows = await selectOrderFacts(queryable)
    .where('environments.runner_id', '=', runnerId)
    .orderBy('environments.id')
    .execute()
  return new Map(rows.map((row) => [row.id, orderDigest(row)]))
}
