import { type Selectable, sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../../database/connection.ts'
import { advisoryLocks } from '../../../database/locks.ts'
import type { Candidate, Wanted } from '../../../placement/place.ts'
import type { EnvironmentClassTable } from '../../environment-class/table.ts'
import { ownerRules, rulesFor } from '../owner-rules.ts'
import type { EnvironmentRow } from '../table.ts'
import { isAtRest, isBooting } from './at-rest.ts'

/**
 * Locks placement to the end of the transaction, so that two concurrent placements cannot reserve the same capacity.
 */
export async function lockPlacement(tx: DatabaseTransaction, organizationId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.placement}, hashtext(${organizationId}))`.execute(tx)
}

/** The same without waiting for it; false when another holds it, or when others than these wait for a runner. */
export async function tryLockPlacement(
  tx: DatabaseTransaction,
  organizationId: string,
  ids: readonly string[],
): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    SELECT CASE
      WHEN EXISTS (SELECT FROM environments WHERE organization_id = ${organizationId} AND phase = 'pending'
        AND desired_phase = 'running' AND id <> ALL(${ids}::uuid[])) THEN false
      ELSE pg_try_advisory_xact_lock(${advisoryLocks.placement}, hashtext(${organizationId}))
    END AS locked`.execute(tx)
  return rows[0]?.locked === true
}

/**
 * The room for volumes that machines are made with, over `environments`, without that of one: kept until a runner has the volume
 * that the machine was given, and so its room.
 */
const awaitedVolumes = (except: string | null) => sql<string | null>`
  sum((needs->>'volumeMebibytes')::bigint) FILTER (WHERE environments.id IS DISTINCT FROM ${except}::uuid AND CASE
    WHEN coalesce((needs->>'volumeMebibytes')::bigint, 0) = 0 THEN false
    ELSE NOT EXISTS (SELECT FROM volumes
      WHERE volumes.environment_id = environments.id AND volumes.runner_id IS NOT NULL) END)`

/** What of the fleet is read. */
export interface FleetPart {
  /** The only runner; null for all. */
  runnerId?: string | null
  /** The machine whose volume is being placed, in the room that is kept for it; null for none. */
  volumeOf?: string | null
}

/** The organization's runners, or one of them, with the capacity reserved on each by environments and volumes. */
export async function readFleet(
  queryable: Queryable,
  organizationId: string,
  now: Date,
  { runnerId = null, volumeOf = null }: FleetPart = {},
): Promise<Candidate[]> {
  const whileNotAtRest = (column: 'virtual_cpus' | 'memory_mebibytes') =>
    sql<string | null>`sum(${sql.ref(column)}) FILTER (WHERE ${isAtRest} IS NOT TRUE)`.as(column)
  const rows = await queryable
    .selectFrom('runners')
    .leftJoin(
      (from) =>
        from
          .selectFrom('environments')
          .select([
            'runner_id',
            whileNotAtRest('virtual_cpus'),
            whileNotAtRest('memory_mebibytes'),
            sql<number>`count(*) FILTER (WHERE ${isBooting})::int`.as('booting'),
            (expression) => expression.fn.sum<string>('disk_gibibytes').as('disk_gibibytes'),
            awaitedVolumes(volumeOf).as('volume_mebibytes'),
          ])
          .where('phase', '<>', 'deleted')
          .where('runner_id', 'is not', null)
          .$if(runnerId !== null, (query) => query.where('runner_id', '=', runnerId))
          .groupBy('runner_id')
          .as('reserved'),
      (join) => join.onRef('reserved.runner_id', '=', 'runners.id'),
    )
    .leftJoin(
      (from) =>
        from
          .selectFrom('volumes')
          .select(['runner_id', (expression) => expression.fn.sum<string>('size_mebibytes').as('mebibytes')])
          .where('runner_id', 'is not', null)
          .$if(runnerId !== null, (query) => query.where('runner_id', '=', runnerId))
          .groupBy('runner_id')
          .as('kept'),
      (join) => join.onRef('kept.runner_id', '=', 'runners.id'),
    )
    .select([
      'runners.id',
      'name',
      'labels',
      'phase',
      'spec',
      'status',
      'health',
      'work_kinds',
      'reserved.virtual_cpus',
      'reserved.memory_mebibytes',
      'reserved.booting',
      'reserved.disk_gibibytes',
      'reserved.volume_mebibytes',
      'kept.mebibytes',
    ])
    .where('organization_id', '=', organizationId)
    .where('phase', '<>', 'deleted')
    .$if(runnerId !== null, (query) => query.where('runners.id', '=', runnerId ?? ''))
    .execute()
  const degraded = rows.filter(({ health }) => isPast(health?.probeAt ?? null, now)).map(({ id }) => id)
  const onTrial = await runnersWithBoots(queryable, degraded)
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    labels: row.labels,
    phase: row.phase,
    spec: row.spec,
    facts: row.status.facts,
    workKinds: row.work_kinds,
    reserved: {
      virtualCpus: Number(row.virtual_cpus ?? 0),
      memoryMebibytes: Number(row.memory_mebibytes ?? 0),
      diskMebibytes:
        Number(row.disk_gibibytes ?? 0) * 1_024 +
        Number(row.mebibytes ?? 0) +
        Number(row.volume_mebibytes ?? 0),
    },
    booting: row.booting ?? 0,
    suspected: row.health !== null && isAhead(row.health.avoidedUntil, now),
    probeDue: isPast(row.health?.probeAt ?? null, now) && !onTrial.has(row.id),
  }))
}

/** Runners on which an environment is being provisioned. */
async function runnersWithBoots(
  queryable: Queryable,
  runnerIds: readonly string[],
): Promise<Set<string | null>> {
  if (runnerIds.length === 0) return new Set()
  const rows = await queryable
    .selectFrom('environments')
    .select('runner_id')
    .distinct()
    .where('runner_id', 'in', runnerIds)
    .where('phase', '=', 'provisioning')
    .execute()
  return new Set(rows.map(({ runner_id }) => runner_id))
}

const isPast = (time: string | null, now: Date) => time !== null && Date.parse(time) <= now.getTime()
const isAhead = (time: string | null, now: Date) => time !== null && Date.parse(time) > now.getTime()

const unawaited = Object.entries(ownerRules).flatMap(([kind, rules]) => (rules.isAwaited ? [] : [kind]))
/** Whether somebody waits for it, as SQL over `environments`. */
export const isAwaited = sql<boolean>`(environments.claim_id IS NOT NULL OR environments.owner_kind IS NULL
  OR environments.owner_kind <> ALL(${unawaited}::text[]))`

/** What an environment requires of a runner. The size is the plan's, since the class may have changed. */
export function wantedBy(
  row: Pick<
    EnvironmentRow,
    'virtual_cpus' | 'memory_mebibytes' | 'disk_gibibytes' | 'claim_id' | 'owner_kind' | 'needs'
  > & {
    status: Pick<EnvironmentRow['status'], 'wantedRunnerId'>
    image: string
    class_spec: Selectable<EnvironmentClassTable>['spec']
  },
  source: Wanted['source'],
): Wanted {
  return {
    ...row.class_spec,
    image: row.image,
    virtualCpus: row.virtual_cpus,
    memoryMebibytes: row.memory_mebibytes,
    diskGibibytes: row.disk_gibibytes,
    source,
    runnerId: row.status.wantedRunnerId ?? null,
    needs: row.needs,
    awaited: row.claim_id !== null || (rulesFor(row)?.isAwaited ?? true),
  }
}
