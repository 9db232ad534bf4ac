import type { QuotaLimits, ResourceQuotaName } from '@hearth/contract'
import { type RawBuilder, sql } from 'kysely'
import { limitsOf } from '../../api/quota-limits.ts'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'
import type { Wake } from '../../reconciling/wake.ts'
import type { MachineUse } from './room.ts'

/** Whose environments are counted: an organization's, or those that a principal holds. */
export type Holder = { organizationId: string } | { principalId: string }

/**
 * Locks a quota to the end of the transaction, before counting and adding, so that two transactions cannot use the same
 * remainder. After it, nothing may be locked or woken that another transaction may hold while it waits for this lock.
 */
export async function lockQuota(
  tx: DatabaseTransaction,
  holder: Holder,
  quota: 'machines' | ResourceQuotaName,
): Promise<void> {
  const key = `${'principalId' in holder ? holder.principalId : holder.organizationId}:${quota}`
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.quotas}, hashtext(${key}))`.execute(tx)
}

/** An environment given up with its silent host is not counted: another has replaced it. */
const counts = sql`phase <> 'deleted' AND NOT (unreachable AND desired_phase = 'deleted')`
/** It runs, or is on its way there. */
const runs = sql`(phase IN ('pending', 'provisioning', 'starting', 'running', 'stopping', 'suspending', 'resuming')
  OR (phase IN ('stopped', 'suspended') AND desired_phase = 'running'))`

export async function countMachines(queryable: Queryable, holder: Holder): Promise<MachineUse> {
  const theirs =
    'principalId' in holder
      ? sql`holder_id = ${holder.principalId}`
      : sql`organization_id = ${holder.organizationId}`
  const { rows } = await sql<Record<keyof MachineUse, string>>`
    SELECT count(*) AS environments, count(*) FILTER (WHERE ${runs}) AS running,
      coalesce(sum(virtual_cpus), 0) AS "virtualCpus", coalesce(sum(memory_mebibytes), 0) AS "memoryMebibytes",
      coalesce(sum(disk_gibibytes), 0) AS "diskGibibytes"
    FROM environments WHERE ${theirs} AND ${counts}`.execute(queryable)
  const [row] = rows
  return {
    environments: Number(row?.environments ?? 0),
    running: Number(row?.running ?? 0),
    virtualCpus: Number(row?.virtualCpus ?? 0),
    memoryMebibytes: Number(row?.memoryMebibytes ?? 0),
    diskGibibytes: Number(row?.diskGibibytes ?? 0),
  }
}

const resources: Readonly<Record<ResourceQuotaName, RawBuilder<unknown>>> = {
  projects: sql`projects WHERE true`,
  environmentClasses: sql`environment_classes WHERE true`,
  warmPools: sql`warm_pools WHERE true`,
  runners: sql`runners WHERE deleted_at IS NULL`,
  // Tokens of runners are deleted with their runner, and expired ones are of no use: neither counts.
  tokens: sql`tokens WHERE runner_id IS NULL AND (expires_at IS NULL OR expires_at > now())`,
  observers: sql`observers WHERE true`,
  sessions: sql`sessions WHERE phase = 'open'`,
  routes: sql`routes WHERE true`,
  pipelines: sql`pipelines WHERE true`,
  volumes: sql`volumes WHERE true`,
}

export async function countResources(
  queryable: Queryable,
  organizationId: string,
  quota: ResourceQuotaName,
): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    SELECT count(*) AS count FROM ${resources[quota]} AND organization_id = ${organizationId}`.execute(
    queryable,
  )
  return Number(rows[0]?.count ?? 0)
}

/** An organization's limits as they are now, for whoever acts without a caller. */
export async function readLimits(
  queryable: Queryable,
  installation: QuotaLimits,
  organizationId: string,
): Promise<QuotaLimits> {
  const row = await queryable
    .selectFrom('organizations')
    .select([
      'spec',
      sql<boolean>`id = (SELECT id FROM organizations ORDER BY id LIMIT 1)`.as('is_installations'),
    ])
    .where('id', '=', organizationId)
    .executeTakeFirstOrThrow()
  return limitsOf(installation, { quotas: row.spec.quotas, isInstallations: row.is_installations })
}

/** Wakes for the pools that a quota or the room of a runner keeps from what they want: there may be room now. */
export async function poolsThatWait(
  tx: DatabaseTransaction,
  organizationIds: readonly string[],
): Promise<Wake[]> {
  if (organizationIds.length === 0) return []
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM warm_pools WHERE organization_id = ANY(${[...new Set(organizationIds)]}::uuid[])
      AND (jsonb_typeof(status->'quota') = 'object' OR jsonb_typeof(status->'lack') = 'string')`.execute(tx)
  return rows.map(({ id }) => ({ kind: 'warm-pool', id }))
}
