import type { Failure, InstanceState, RunnerPhase } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { buildPlan, prebuiltStart, runnersWithMemory } from '../environment/index.ts'
import type { Member, SeenPool } from './decide.ts'
import { instanceState } from './instance-state.ts'
import { isTrialDue, readSurroundings } from './queries.ts'
import { type PoolSize, sizeOf } from './scale/pool-size.ts'
import { factsOf, type Surroundings } from './surroundings.ts'
import { type PoolFacts, poolSpec, type WarmPoolRow } from './table.ts'

/** Causes that say nothing of the set-up: a host that went away or had no room. */
const foreignCauses = ['no_runner_fits', 'runner_lost', 'image_missing'] as const
/** A host that is suspected while another is well: what could not be made there says nothing of the set-up. */
const isHeldAgainstHost = sql<boolean>`(
  coalesce(status->'failure'->>'step', '') IN ('create_vm', 'ensure_server')
  AND EXISTS (SELECT FROM runners AS host WHERE host.id = environments.runner_id AND host.health IS NOT NULL
    AND EXISTS (SELECT FROM runners AS other WHERE other.organization_id = host.organization_id
      AND other.phase = 'active' AND other.health IS NULL)))`
/** A prebuild that could not be started from, which is counted against it: the set-up was not even begun. */
const isHeldAgainstPrebuild = sql<boolean>`(
  source->'prebuild' IS NOT NULL
  AND (coalesce(status->'failure'->>'code', '') IN ('layer_damaged', 'layer_unfit', 'memory_unusable')
    OR coalesce(status->'failure'->>'step', '') IN ('own_identity', 'ensure_server')))`
const bootsLookedAt = 10

/** All that a reconcile of a pool reads. */
export interface PoolLook {
  surroundings: Surroundings
  facts: PoolFacts & { configuration: string }
  seen: Omit<SeenPool, 'members'> & { members: readonly SeenMember[] }
  size: PoolSize
  /** How many of the size are only a memory that one could start from. */
  resumable: number
}

export interface SeenMember extends Member {
  /** What it is to the pool, by which pools count. */
  state: InstanceState
}

/** The pool's own row must have been read under lock. */
export async function lookAtPool(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  given: Pick<SeenPool, 'now' | 'bootRetryMilliseconds'>,
): Promise<PoolLook> {
  const surroundings = (await readSurroundings(tx, [pool.id])).get(pool.id)
  if (surroundings === undefined) throw new Error(`pool ${pool.id} has no project or no class`)
  const facts = factsOf(pool, surroundings)
  const { enabled, rest, maxAgeMinutes } = poolSpec(pool)
  const size = await sizeOf(tx, pool, given.now)
  const resumable = await countResumable(tx, pool, surroundings, size)
  const [members, recentBoots, trialDue] = await Promise.all([
    readMembers(tx, pool.id, facts.configuration),
    readBoots(tx, pool, facts.configuration),
    isTrialDue(tx, pool.organization_id, given.now),
  ])
  const seen = {
    enabled,
    size: size.size - resumable,
    running: size.running,
    rest: rest === 'stopped' ? ('stopped' as const) : ('suspended' as const),
    restsAgainAt: pool.status.restsAgainAt == null ? null : new Date(pool.status.restsAgainAt),
    maxAgeMinutes,
    cleared: pool.cleared,
    deleting: pool.phase === 'deleting' || facts.projectDeleting,
    members,
    recentBoots,
    trialDue,
    ...given,
  }
  return { surroundings, facts, seen, size, resumable }
}

/** Without a memory to start from, those that need not run are machines that are suspended. */
async function countResumable(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  { project_spec: spec, class_spec }: Surroundings,
  { size, running }: PoolSize,
): Promise<number> {
  const { rest, ...owned } = poolSpec(pool)
  if (rest !== 'resumable' || running === null || running >= size) return 0
  const { source } = await prebuiltStart(tx, {
    project: { id: pool.project_id, spec },
    environmentClassId: pool.environment_class_id,
    plan: buildPlan(spec, class_spec, owned),
    branch: owned.branch,
  })
  const runners = source === undefined ? [] : await runnersWithMemory(tx, source)
  return runners.length === 0 ? 0 : size - running
}

async function readMembers(
  tx: DatabaseTransaction,
  poolId: string,
  configuration: string,
): Promise<SeenMember[]> {
  const rows = await tx
    .selectFrom('environments')
    .leftJoin('runners', 'runners.id', 'environments.runner_id')
    .select([
      'environments.id',
      'environments.runner_id',
      'environments.phase',
      'environments.desired_phase',
      sql<boolean>`environments.phase = 'running' AND environments.desired_phase IN ('suspended', 'stopped')
        AND jsonb_typeof(environments.status->'failure') = 'object'`.as('not_rested'),
      'environments.configuration',
      'environments.created_at',
      instanceState.as('state'),
      sql<boolean>`environments.paused IS NOT NULL`.as('paused'),
      sql<string | null>`environments.status->>'readyAt'`.as('ready_at'),
      sql<string | null>`environments.status->>'failedAt'`.as('failed_at'),
      'runners.phase as runner_phase',
      sql<string | null>`runners.status->>'leftAt'`.as('runner_left_at'),
    ])
    .where('owner_kind', '=', 'warm-pool')
    .where('owner_id', '=', poolId)
    .where('environments.phase', '<>', 'deleted')
    .where('environments.desired_phase', '<>', 'deleted')
    .where('environments.claim_id', 'is', null)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    runnerId: row.runner_id,
    phase: row.phase,
    desiredPhase: row.desired_phase,
    notRested: row.not_rested,
    state: row.state,
    current: row.configuration === configuration,
    abandoned: abandonment(row),
    paused: row.paused,
    onTrial: row.runner_phase === 'degraded',
    createdAt: row.created_at,
    readyAt: row.ready_at === null ? null : new Date(row.ready_at),
    failedAt: row.failed_at === null ? null : new Date(row.failed_at),
  }))
}

function abandonment(row: {
  runner_phase: RunnerPhase | null
  runner_left_at: string | null
}): Member['abandoned'] {
  switch (row.runner_phase) {
    case 'draining':
      return 'runner_drained'
    case 'deleted':
      return 'runner_removed'
    case 'offline':
      // An agent that announced its stop may return before its lease is over.
      return row.runner_left_at === null ? 'runner_lost' : null
    case 'created':
    case 'active':
    case 'degraded':
    case null:
      return null
    default:
      return assertNever(row.runner_phase)
  }
}

async function readBoots(
  tx: DatabaseTransaction,
  pool: WarmPoolRow,
  configuration: string,
): Promise<SeenPool['recentBoots']> {
  // The pool has a new configuration now: earlier boots do not count for it.
  if (pool.configuration !== null && pool.configuration !== configuration) return []
  const { rows } = await sql<{ ready: boolean; failure: Failure | null; at: Date }>`
    SELECT status->>'readyAt' IS NOT NULL AS ready, status->'failure' AS failure, boot_ended_at AS at
    FROM environments
    WHERE owner_id = ${pool.id} AND owner_kind IN ('warm-pool', 'warm-pool-inspection')
      AND configuration = ${configuration} AND boot_ended_at IS NOT NULL
      AND (${pool.boots_since}::timestamptz IS NULL OR created_at >= ${pool.boots_since}::timestamptz)
      AND (status->>'readyAt' IS NOT NULL
        OR (coalesce(status->'failure'->>'code', '') <> ALL(${foreignCauses}) AND NOT ${isHeldAgainstHost}
          AND NOT ${isHeldAgainstPrebuild}))
    ORDER BY boot_ended_at DESC
    LIMIT ${bootsLookedAt}`.execute(tx)
  return rows.map(({ ready, failure, at }) => ({ failed: !ready, at, failure: ready ? null : failure }))
}
