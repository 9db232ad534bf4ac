import type { Failure } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { isTrialDue } from '../environment/index.ts'
import type { Member, ObservedPool } from './decide.ts'
import type { PoolSight } from './show.ts'
import { poolSpec, type WarmPoolRow } from './table.ts'

/** Causes that say nothing of the set-up: a host that went away or had no room. */
const foreignCauses = ['no_runner_fits', 'runner_lost', 'image_missing'] as const
/** A host that is suspected while another is well: what could not be made there says nothing of the set-up. */
const isHeldAgainstHost = sql<boolean>`(
  coalesce(status->'failure'->>'step', '') IN ('create_vm', 'ensure_server')
  AND EXISTS (SELECT FROM runners AS host WHERE host.id = environments.runner_id AND host.health IS NOT NULL
    AND EXISTS (SELECT FROM runners AS other WHERE other.organization_id = host.organization_id
      AND other.phase = 'active' AND other.health IS NULL)))`
const bootsLookedAt = 10

/** The pool's surroundings, as of this transaction; the pool's own row must have been read under lock. */
export async function observePool(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  sight: Pick<PoolSight, 'project_phase'>,
  given: Pick<ObservedPool, 'now' | 'bootRetryMilliseconds'> & { configuration: string },
): Promise<ObservedPool> {
  const { configuration, ...rest } = given
  const { enabled, min, maxAgeMinutes } = poolSpec(pool)
  return {
    enabled,
    min,
    maxAgeMinutes,
    cleared: pool.cleared,
    deleting: pool.phase === 'deleting' || sight.project_phase === 'deleting',
    members: await readMembers(tx, pool.id, configuration),
    recentBoots: await readBoots(tx, pool, configuration),
    trialDue: await isTrialDue(tx, pool.organization_id, given.now),
    ...rest,
  }
}

async function readMembers(
  tx: DatabaseTransaction,
  poolId: string,
  configuration: string,
): Promise<Member[]> {
  const rows = await tx
    .selectFrom('environments')
    .leftJoin('runners', 'runners.id', 'environments.runner_id')
    .select([
      'environments.id',
      'environments.phase',
      'environments.configuration',
      'environments.created_at',
      sql<boolean>`environments.paused IS NOT NULL`.as('paused'),
      sql<string | null>`environments.status->>'readyAt'`.as('ready_at'),
      sql<string | null>`environments.status->>'failedAt'`.as('failed_at'),
      'runners.phase as runner_phase',
      sql<string | null>`runners.status->>'leftAt'`.as('runner_left_at'),
    ])
    .where('warm_pool_id', '=', poolId)
    .where('environments.phase', '<>', 'deleted')
    .where('environments.desired_phase', '<>', 'deleted')
    .where('environments.claim_id', 'is', null)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    phase: row.phase,
    current: row.configuration === configuration,
    abandoned:
      (row.runner_phase === 'offline' && row.runner_left_at === null) ||
      row.runner_phase === 'draining' ||
      row.runner_phase === 'deleted',
    paused: row.paused,
    onTrial: row.runner_phase === 'degraded',
    createdAt: row.created_at,
    readyAt: row.ready_at === null ? null : new Date(row.ready_at),
    failedAt: row.failed_at === null ? null : new Date(row.failed_at),
  }))
}

async function readBoots(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  configuration: string,
): Promise<ObservedPool['recentBoots']> {
  const { rows } = await sql<{ ready: boolean; failure: Failure | null; at: Date }>`
    SELECT status->>'readyAt' IS NOT NULL AS ready, status->'failure' AS failure, boot_ended_at AS at
    FROM environments
    WHERE (warm_pool_id = ${pool.id} OR inspected_pool_id = ${pool.id}) AND configuration = ${configuration} AND boot_ended_at IS NOT NULL
      AND (${pool.boots_since}::timestamptz IS NULL OR created_at >= ${pool.boots_since}::timestamptz)
      AND (status->>'readyAt' IS NOT NULL
        OR (coalesce(status->'failure'->>'code', '') <> ALL(${foreignCauses}) AND NOT ${isHeldAgainstHost}))
    ORDER BY boot_ended_at DESC
    LIMIT ${bootsLookedAt}`.execute(tx)
  return rows.map(({ ready, failure, at }) => ({ failed: !ready, at, failure: ready ? null : failure }))
}
