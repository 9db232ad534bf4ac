import type { LifeSpec } from '@hearth/contract'
import { isId } from '@hearth/foundation'
import { type Expression, sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import { type EnvironmentRow, environmentColumns, lackOnHost, type StoredLife } from '../environment/index.ts'
import { type PoolSpec, poolSpec } from '../warm-pool/index.ts'
import type { Shortage } from './shortage.ts'

/** Released claims are kept for the record: they are listed only when they are asked for by phase. */
export const claims = resourceQueries('claims', {
  noun: 'claim',
  names: 'shared',
  recordPhase: 'released',
  findsRecords: true,
})

export interface ClaimablePool {
  id: string
  name: string
  project_id: string
  project_name: string
  life: LifeSpec | null
  project_life: LifeSpec | null
}

export interface WantedPool {
  warmPoolId?: string | undefined
  project?: string | undefined
  environmentClass?: string | undefined
}

/** The pools that a claim may take from: one by id, or those of a project, limited to a class. */
function matching(tx: DatabaseTransaction, organizationId: string, wanted: WantedPool) {
  let query = tx
    .selectFrom('warm_pools')
    .innerJoin('projects', 'projects.id', 'warm_pools.project_id')
    .where('warm_pools.organization_id', '=', organizationId)
    .where('warm_pools.phase', '<>', 'deleting')
    .where('projects.phase', '=', 'active')
  if (wanted.warmPoolId !== undefined) query = query.where('warm_pools.id', '=', wanted.warmPoolId)
  if (wanted.project !== undefined) {
    query = query.where(isId(wanted.project) ? 'projects.id' : 'projects.name', '=', wanted.project)
  }
  const { environmentClass } = wanted
  if (environmentClass !== undefined) {
    query = query.where('warm_pools.environment_class_id', 'in', (inner) =>
      inner
        .selectFrom('environment_classes')
        .select('id')
        .where('organization_id', '=', organizationId)
        .where(isId(environmentClass) ? 'id' : 'name', '=', environmentClass),
    )
  }
  return query
}

/** Who takes a member, and the life that it has from then on. */
export interface Claimant {
  id: string
  creator: string | null
  life: StoredLife | null
  /** The only runner whose members it may take; null for any. */
  runnerId: string | null
}

const taken = ({ id, creator, life }: Claimant) => ({
  claim_id: id,
  holder_id: creator,
  life: life === null ? null : JSON.stringify(life),
})

/**
 * The pools that a claim may take from, and, of the only one, its oldest ready member, which is now the claim's. Both
 * are sent at once. The first locks the pools' project against deletion until the transaction ends, so that a later
 * deletion sees the claim. Members that other transactions lock are passed over, so that no two callers wait for each
 * other or get the same member.
 */
export async function takeFromOnlyPool(
  tx: DatabaseTransaction,
  organizationId: string,
  wanted: WantedPool,
  claim: Claimant,
): Promise<{ pools: ClaimablePool[]; member: EnvironmentRow | undefined }> {
  const one = matching(tx, organizationId, wanted)
    .select(sql<string>`(array_agg(warm_pools.id))[1]`.as('id'))
    .having(sql<boolean>`count(*) = 1`)
  const [pools, member] = await Promise.all([
    matching(tx, organizationId, wanted)
      .select(['warm_pools.id', 'warm_pools.name', 'warm_pools.project_id', 'projects.name as project_name'])
      .select([
        sql<LifeSpec | null>`warm_pools.spec->'life'`.as('life'),
        sql<LifeSpec | null>`projects.spec->'life'`.as('project_life'),
      ])
      .orderBy('warm_pools.id')
      .forKeyShare('projects')
      .execute(),
    take(tx, sql<string>`(${one})`, claim, 'pass over'),
  ])
  return { pools, member }
}

export async function setLife(
  tx: DatabaseTransaction,
  environmentId: string,
  life: StoredLife,
): Promise<void> {
  await tx
    .updateTable('environments')
    .set({ life: JSON.stringify(life) })
    .where('id', '=', environmentId)
    .execute()
}

/** Waits for the members that others have locked, since committing a report locks one for a moment, too. */
export async function waitForReadyMember(
  tx: DatabaseTransaction,
  poolId: string,
  claim: Claimant,
): Promise<EnvironmentRow | undefined> {
  return take(tx, sql<string>`${poolId}::uuid`, claim, 'wait')
}

/** A member for another claim than that of a request: passed over first, then waited for. */
export async function takeReadyMember(
  tx: DatabaseTransaction,
  poolId: string,
  claim: Claimant,
): Promise<EnvironmentRow | undefined> {
  return (
    (await take(tx, sql<string>`${poolId}::uuid`, claim, 'pass over')) ??
    (await waitForReadyMember(tx, poolId, claim))
  )
}

/** The only statement that assigns a ready member to a claim. */
async function take(
  tx: DatabaseTransaction,
  poolId: Expression<string>,
  claim: Claimant,
  held: 'pass over' | 'wait',
): Promise<EnvironmentRow | undefined> {
  return tx
    .updateTable('environments')
    .set({
      ...taken(claim),
      status_version: sql`status_version + 1`,
      updated_at: sql`now()`,
    })
    .where('id', '=', (query) => {
      const ready = query
        .selectFrom('environments')
        .select('id')
        .where('owner_kind', '=', 'warm-pool')
        .where('owner_id', '=', poolId)
        .where('claim_id', 'is', null)
        .where('phase', '=', 'running')
        .where('desired_phase', '=', 'running')
        .where('unreachable', '=', false)
        .where('paused', 'is', null)
        .$if(claim.runnerId !== null, (on) => on.where('runner_id', '=', claim.runnerId))
        .orderBy('id')
        .limit(1)
        .forUpdate()
      return held === 'wait' ? ready : ready.skipLocked()
    })
    .returning(environmentColumns)
    .executeTakeFirst()
}

/**
 * Assigns a member to a claim that has to be resumed or started first: a suspended one before a stopped one, and only one that its
 * host has room to run.
 */
export async function takeRestingMember(
  tx: DatabaseTransaction,
  poolId: string,
  claim: Claimant,
  now: Date,
): Promise<{ member: EnvironmentRow } | { member: null; lack: string | null }> {
  const fullRunners: string[] = []
  const on = { runnerId: claim.runnerId, fullRunners }
  let lack: string | null = null
  for (const phase of ['suspended', 'stopped'] as const) {
    for (;;) {
      const found =
        (await findResting(tx, poolId, phase, on, 'pass over')) ??
        // Not once placement is locked, for which one that holds a member may wait.
        (lack === null ? await findResting(tx, poolId, phase, on, 'wait') : undefined)
      if (found === undefined) break
      const lackThere = await lackOnHost(tx, found, now)
      if (lackThere === null) return { member: await assign(tx, found.id, claim) }
      lack = lackThere
      fullRunners.push(found.runner_id ?? '')
    }
  }
  return { member: null, lack }
}

/** Locks a member that is in this phase and shall stay so, on the runner that is wanted and on none that is full. */
async function findResting(
  tx: DatabaseTransaction,
  poolId: string,
  phase: 'suspended' | 'stopped',
  { runnerId, fullRunners }: { runnerId: string | null; fullRunners: readonly string[] },
  held: 'pass over' | 'wait',
): Promise<EnvironmentRow | undefined> {
  return tx
    .selectFrom('environments')
    .select(environmentColumns)
    .where('owner_kind', '=', 'warm-pool')
    .where('owner_id', '=', poolId)
    .where('claim_id', 'is', null)
    .where('phase', '=', phase)
    .where('desired_phase', '=', phase)
    .where('unreachable', '=', false)
    .$if(runnerId !== null, (query) => query.where('runner_id', '=', runnerId))
    .$if(fullRunners.length > 0, (query) => query.where('runner_id', 'not in', fullRunners))
    .orderBy('id')
    .limit(1)
    .forUpdate()
    .$if(held === 'pass over', (query) => query.skipLocked())
    .executeTakeFirst()
}

async function assign(
  tx: DatabaseTransaction,
  environmentId: string,
  claim: Claimant,
): Promise<EnvironmentRow> {
  return tx
    .updateTable('environments')
    .set(taken(claim))
    .where('id', '=', environmentId)
    .returning(environmentColumns)
    .executeTakeFirstOrThrow()
}

/** A pool without a ready member: the facts that explain why, and what another environment is made from. */
export interface EmptyPool extends Shortage {
  setup: PoolSpec['setup']
  branch: string | null
  environmentClassId: string
  /** Whether one can be made that starts from the memory of a prebuild. */
  isResumable: boolean
}

export async function readEmptyPool(queryable: Queryable, poolId: string): Promise<EmptyPool> {
  const row = await queryable
    .selectFrom('warm_pools')
    .leftJoin('environments', (join) =>
      join
        .onRef('environments.owner_id', '=', 'warm_pools.id')
        .on('environments.owner_kind', '=', 'warm-pool')
        .on('environments.claim_id', 'is', null)
        .on('environments.phase', '<>', 'deleted')
        .on('environments.desired_phase', '<>', 'deleted'),
    )
    .select([
      'warm_pools.name',
      'warm_pools.phase',
      'warm_pools.spec',
      'warm_pools.status',
      'warm_pools.environment_class_id',
      sql<string>`count(*) FILTER (WHERE environments.phase IN ('pending', 'provisioning', 'starting'))`.as(
        'provisioning',
      ),
      sql<string>`count(*) FILTER (WHERE environments.phase = 'failed')`.as('failed'),
    ])
    .where('warm_pools.id', '=', poolId)
    .groupBy('warm_pools.id')
    .executeTakeFirstOrThrow()
  const { enabled, min, setup, branch } = poolSpec(row)
  return {
    pool: row.name,
    phase: row.phase,
    enabled,
    min,
    setup,
    branch,
    environmentClassId: row.environment_class_id,
    isResumable: (row.status.resumable ?? 0) > 0,
    failure: row.status.failure,
    provisioning: Number(row.provisioning),
    failed: Number(row.failed),
    quota: row.status.quota ?? null,
  }
}
