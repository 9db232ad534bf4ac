import {
  type BindingOrder,
  type ClaimBinding,
  type EnvironmentOrder,
  environmentPrincipal,
  type MachineSource,
} from '@hearth/contract'
import { seal, toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import { readSecrets } from '../../project/index.ts'
import { bindingOrder } from '../binding/order.ts'
import { lifeOrder } from '../life/order.ts'
import type { StoredSource } from '../table.ts'
import { onCrashOf, orderDigest, selectOrderFacts } from './order-digest.ts'

/**
 * The current orders for environments: all of a runner's, or those with the given ids. An environment that is deleted
 * or has no runner has none. Secrets are sealed to the runner, so that only it can open them. If its key is unusable,
 * `onUnusable` is called and the order left out.
 */
export async function currentOrders(
  queryable: Queryable,
  encryption: Encryption,
  wanted: { runnerId: string } | { ids: readonly string[] },
  onUnusable: (environmentId: string, error: Error) => void,
): Promise<EnvironmentOrder[]> {
  if ('ids' in wanted && wanted.ids.length === 0) return []
  let query = selectOrderFacts(queryable)
    .select([
      'environments.organization_id',
      'environments.project_id',
      'environments.spec',
      sql<ClaimBinding | null>`claims.spec->'binding'`.as('binding'),
    ])
    .where('runners.epoch', '>', 0)
  query =
    'runnerId' in wanted
      ? query.where('environments.runner_id', '=', wanted.runnerId)
      : query.where('environments.id', 'in', wanted.ids)
  const rows = await query.execute()
  const secrets = new Map<string, Record<string, string>>()
  const orders: EnvironmentOrder[] = []
  for (const row of rows) {
    const { plan } = row.spec
    let sealedSecrets: string | null = null
    if (plan.secretNames.length > 0 && row.sealing_key !== null && row.desired_phase !== 'deleted') {
      const values = secrets.get(row.project_id) ?? (await readSecrets(queryable, encryption, row.project_id))
      secrets.set(row.project_id, values)
      try {
        sealedSecrets = seal(JSON.stringify(pick(values, plan.secretNames)), row.sealing_key, row.id)
      } catch (thrown) {
        onUnusable(row.id, toError(thrown))
        continue
      }
    }
    let binding: BindingOrder | null
    try {
      binding = await bindingOrder(queryable, encryption, row)
    } catch (thrown) {
      onUnusable(row.id, toError(thrown))
      continue
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
      // What is built for others keeps nothing of what its machine was told.
      ...(row.owner_kind === 'prebuild' ? { scrub: true } : {}),
      onCrash: onCrashOf(row),
      ...lifeOrder(row),
      ...(row.source === null ? {} : { source: toMachineSource(row.source) }),
      ...(binding === null ? {} : { binding }),
      sealedSecrets,
      userCertificateAuthority: row.user_certificate_authority,
      principal: environmentPrincipal(row.id),
      digest: orderDigest(row),
    })
  }
  return orders
}

/** About how many bytes the order of each environment has, without reading them. */
export async function orderSizes(queryable: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  // Sealing adds a third.
  const { rows } = await sql<{ id: string; bytes: string }>`
    SELECT id, octet_length(spec::text) + coalesce(
      (SELECT sum(octet_length(value)) FROM project_secrets AS secret WHERE secret.project_id = row.project_id), 0
    ) * 4 / 3 + coalesce(
      (SELECT octet_length(claim.spec::text) FROM claims AS claim WHERE claim.id = row.claim_id), 0
    ) + coalesce(
      (SELECT sum(octet_length(value)) FROM claim_secrets AS secret WHERE secret.claim_id = row.claim_id), 0
    ) * 4 / 3 AS bytes
    FROM environments AS row WHERE id = ANY(${ids}::uuid[])`.execute(queryable)
  return new Map(rows.map(({ id, bytes }) => [id, Number(bytes)]))
}

function pick(values: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
}

function toMachineSource(stored: StoredSource): MachineSource {
  const { snapshotId, memory, incarnation, heldSteps, onlyFromSnapshot, memoryWithheld } = stored
  return { snapshotId, memory: memory && memoryWithheld === null, incarnation, heldSteps, onlyFromSnapshot }
}
