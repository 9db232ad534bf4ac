import { type EnvironmentOrder, environmentPrincipal } from '@hearth/contract'
import { seal, toError } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { readSecrets } from '../project/index.ts'

/**
 * The orders for environments as they are now: all of a runner's, or those named. What is deleted or has no runner has
 * none. Secrets are sealed to the runner: only it can open them. Where its key is none, `onUnusable` is told and the
 * order left out; without it that is thrown.
 */
export async function currentOrders(
  queryable: Queryable,
  encryption: Encryption,
  wanted: { runnerId: string } | { environmentIds: readonly string[] },
  onUnusable?: (environmentId: string, error: Error) => void,
): Promise<EnvironmentOrder[]> {
  if ('environmentIds' in wanted && wanted.environmentIds.length === 0) return []
  let query = queryable
    .selectFrom('environments')
    .innerJoin('runners', 'runners.id', 'environments.runner_id')
    .innerJoin('organizations', 'organizations.id', 'environments.organization_id')
    .select([
      'environments.id',
      'environments.name',
      'environments.organization_id',
      'environments.project_id',
      'runners.id as runner_id',
      'environments.desired_phase',
      'environments.spec',
      'environments.spec_version',
      'runners.epoch',
      'runners.status as runner_status',
      'organizations.status as organization_status',
    ])
    .where('environments.phase', '<>', 'deleted')
    .where('runners.epoch', '>', 0)
  query =
    'runnerId' in wanted
      ? query.where('environments.runner_id', '=', wanted.runnerId)
      : query.where('environments.id', 'in', wanted.environmentIds)
  const rows = await query.execute()
  const secrets = new Map<string, Record<string, string>>()
  const orders: EnvironmentOrder[] = []
  for (const row of rows) {
    const { plan } = row.spec
    let sealedSecrets: string | null = null
    const sealingKey = row.runner_status.facts?.sealingKey
    if (plan.secretNames.length > 0 && sealingKey !== undefined && row.desired_phase !== 'deleted') {
      const values = secrets.get(row.project_id) ?? (await readSecrets(queryable, encryption, row.project_id))
      secrets.set(row.project_id, values)
      try {
        sealedSecrets = seal(JSON.stringify(pick(values, plan.secretNames)), sealingKey, row.id)
      } catch (thrown) {
        if (onUnusable === undefined) throw thrown
        onUnusable(row.id, toError(thrown))
        continue
      }
    }
    orders.push({
      kind: 'environment',
      id: row.id,
      name: row.name,
      organizationId: row.organization_id,
      runnerId: row.runner_id,
      epoch: row.epoch,
      generation: row.spec_version,
      desiredPhase: row.desired_phase,
      plan,
      sealedSecrets,
      userCertificateAuthority: row.organization_status.userCertificateAuthority,
      principal: environmentPrincipal(row.id),
    })
  }
  return orders
}

function pick(values: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
}
