import type { ClaimPhase, Connection, claimCreateSchema, LifeStatus } from '@hearth/contract'
import { HearthError, newId, toError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Caller } from '../../../api/caller.ts'
import type { Command } from '../../../api/command.ts'
import { refuseLongLife } from '../../../api/life-cap.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import { wake, wakeAfter } from '../../../reconciling/wake.ts'
import { recordEvents } from '../../../resource/record.ts'
import {
  beginLife,
  buildPlan,
  connectionTo,
  createEnvironment,
  desirePhase,
  type EnvironmentRow,
  lifeOf,
  newLife,
  prebuiltStart,
  sizeOf,
  toLifeStatus,
  toListedEnvironment,
  writeBindingSecrets,
} from '../../environment/index.ts'
import { describeUsed, requireHeld } from '../../quota/index.ts'
import { runners } from '../../runner/index.ts'
import { readUserSecrets } from '../../user-secret/index.ts'
import { countRefusal } from '../../warm-pool/index.ts'
import { orderBinding } from '../binding/order.ts'
import { withOwnSecrets } from '../binding/own-secrets.ts'
import { pendingBinding } from '../binding/stored.ts'
import { requireRepositories, type WantedBinding, wantedBinding } from '../binding/wanted.ts'
import { toListedClaim } from '../listed.ts'
import {
  type ClaimablePool,
  type Claimant,
  claims,
  type EmptyPool,
  readEmptyPool,
  setLife,
  takeFromOnlyPool,
  takeRestingMember,
  waitForReadyMember,
} from '../queries.ts'
import { describeShortage, onRunner } from '../shortage.ts'
import type { ClaimRow, StoredClaimStatus } from '../table.ts'

/** Delay before a pool is woken: claims come in bursts, and the pool then refills for all of them at once. */
const refillPauseMilliseconds = 100

type ClaimBody = z.output<typeof claimCreateSchema>

interface MadeClaim {
  row: ClaimRow
  pool: ClaimablePool
  connection: Connection | null
  life: LifeStatus | null
}

/**
 * Gives the caller a ready member of the pool, in the transaction that writes the claim and its events. When none is
 * ready, the `fallback` decides: `cold` creates an environment, and the claim is pending until it runs; `refuse` throws
 * `pool_empty`.
 */
export const createClaim: Command<ClaimBody, MadeClaim> = {
  async run(tx, { services: { authorities, clock, encryption }, caller }, body) {
    const now = clock.now()
    const own = caller.hasSecrets ? await readUserSecrets(tx, encryption, caller.principalId, now) : []
    const wanted = withOwnSecrets(wantedBinding(body.spec), own)
    const id = newId()
    const { runner } = body.spec
    const runnerId = runner === undefined ? null : (await runners.get(tx, caller, runner)).id
    const taker = { id, creator: caller.principalId, life: null, runnerId }
    const taken = await takeFromOnlyPool(tx, caller.organizationId, body.spec, taker)
    const pool = onePool(taken.pools, body.spec)
    if (wanted !== null) await requireRepositories(tx, pool.project_id, wanted.binding)
    const { life: said } = body.spec
    refuseLongLife(said, caller.lifeCap, 'body.spec.life')
    const life = newLife([said, pool.life, pool.project_life], caller.lifeCap, now)
    const claimant = { id, creator: caller.principalId, life, runnerId }
    const base = {
      id,
      organizationId: caller.organizationId,
      name: `claim-${id.slice(-6)}`,
      creator: caller.principalId,
      labels: body.labels,
      spec: {
        ...{ fallback: body.spec.fallback, publicKey: body.spec.publicKey },
        ...(said === undefined ? {} : { life: said }),
        ...(runnerId === null ? {} : { runnerId }),
        ...(wanted === null ? {} : { binding: wanted.binding }),
      },
    }
    const insert = insertClaim(tx, encryption, base, pool, wanted)
    const member = taken.member ?? (await waitForReadyMember(tx, pool.id, claimant))
    if (member === undefined) {
      const resting = await takeRestingMember(tx, pool.id, claimant, now)
      if (resting.member !== null)
        return {
          ...{ row: await claimResting(tx, resting.member, { insert, caller }), pool, connection: null },
          life: toLifeStatus(lifeOf(resting.member)),
        }
      const empty = { ...(await readEmptyPool(tx, pool.id)), lack: resting.lack, runner: runner ?? null }
      if (body.spec.fallback === 'refuse' && !empty.isResumable) throw refusal(pool, empty)
      const environment = await makeCold(tx, pool, empty, { claimant, caller, now })
      const shortage = { what: describeShortage(empty), at: now.toISOString() }
      const status = { source: 'cold' as const, boundAt: null, failure: null, shortage }
      const row = await insert(environment.id, 'pending', status)
      const shown = toLifeStatus(lifeOf(environment))
      await recordEvents(tx, [{ verb: 'created', resource: toListedClaim(row, shown) }])
      return { row, pool, connection: null, life: shown }
    }
    if (member.owner_id !== pool.id)
      throw new HearthError('unavailable', 'the pools are being changed: try again')
    const isGiven = wanted === null || wanted.binding.waitFor === 'address'
    const boundAt = isGiven ? now.toISOString() : null
    const status = { source: 'running' as const, boundAt, failure: null }
    const lives = { ...member, life }
    const [row] = await Promise.all([
      insert(member.id, isGiven ? 'bound' : 'pending', status, now),
      // Which life it has is known since its pool is.
      life === null ? undefined : setLife(tx, member.id, life),
      requireHeld(tx, caller.principalId, caller.limits.principal, sizeOf(member)),
    ])
    if (wanted !== null) await orderBinding(tx, row, lives)
    await beginLife(tx, lives, now)
    // Its tasks and services that begin with the claim.
    if (isGiven && member.has_processes) await wake(tx, 'process', member.id)
    const shown = toLifeStatus(lifeOf(lives))
    await recordEvents(tx, [
      { verb: 'created', resource: toListedClaim(row, shown) },
      { verb: 'updated', resource: toListedEnvironment(lives) },
    ])
    const { address } = member.status
    if (address === null) throw new Error(`environment ${member.id} runs without an address`)
    const { publicKey } = body.spec
    if (!isGiven || publicKey === null) return { row, pool, connection: null, life: shown }
    const authority = await authorities.of(tx, caller.organizationId)
    const signedFor = { publicKey, keyId: `claim:${id} principal:${caller.principalId}` }
    const connection = connectionTo(authority, { id: member.id, address }, signedFor, now)
    return { row, pool, connection, life: shown }
  },
  async afterCommit({ services: { metrics, database, log } }, { row, pool: { id: poolId } }) {
    metrics.claims.inc({ outcome: row.status.source })
    // Not in the transaction, where all claims of a pool would wait for the row of its wake. The answer does not wait
    // for it, and the pool's own timer makes up for a lost wake.
    wakeAfter(database, 'warm-pool', poolId, refillPauseMilliseconds).catch((error: unknown) =>
      log.warn({ err: toError(error), poolId }, 'could not wake the pool of a claim'),
    )
  },
  afterFailure({ services: { metrics, database, clock, log } }, error) {
    if (!(error instanceof HearthError) || error.code !== 'pool_empty') return
    metrics.claims.inc({ outcome: 'refused' })
    const poolId = error.facts?.warmPoolId
    if (typeof poolId !== 'string') return
    // The pool shall become larger for those it could not meet.
    countRefusal(database, poolId, clock.now()).catch((thrown: unknown) =>
      log.warn({ err: toError(thrown), poolId }, 'could not count a refused claim'),
    )
  },
}

/** The claim is bound when the member has been resumed or started. */
async function claimResting(
  tx: DatabaseTransaction,
  member: EnvironmentRow,
  { insert, caller }: { insert: ReturnType<typeof insertClaim>; caller: Caller },
): Promise<ClaimRow> {
  const source = member.phase === 'suspended' ? ('suspended' as const) : ('stopped' as const)
  await desirePhase(tx, member, 'running', caller.limits)
  await requireHeld(tx, caller.principalId, caller.limits.principal, sizeOf(member))
  const row = await insert(member.id, 'pending', { source, boundAt: null, failure: null })
  await recordEvents(tx, [{ verb: 'created', resource: toListedClaim(row, toLifeStatus(lifeOf(member))) }])
  return row
}

type ClaimBase = Parameters<typeof claims.insert>[1]

/** Writes the claim, with what is to be bound; `runsSince` where its machine runs already. */
function insertClaim(
  tx: DatabaseTransaction,
  encryption: Encryption,
  base: ClaimBase & { id: string },
  pool: ClaimablePool,
  wanted: WantedBinding | null,
) {
  return async (
    environmentId: string,
    phase: ClaimPhase,
    status: StoredClaimStatus,
    runsSince: Date | null = null,
  ): Promise<ClaimRow> => {
    const binding =
      wanted === null ? {} : { binding: pendingBinding(wanted.binding, 1, runsSince?.toISOString() ?? null) }
    const row = await claims.insert(tx, base, {
      warm_pool_id: pool.id,
      environment_id: environmentId,
      phase,
      status: { ...status, ...binding },
    })
    if (wanted !== null) await writeBindingSecrets(tx, encryption, base.id, wanted.secrets)
    return row
  }
}

/** Nothing is taken: the project has no pool, or it is not said of which one. */
export class NoOnePool extends HearthError {}

function onePool(pools: readonly ClaimablePool[], wanted: ClaimBody['spec']): ClaimablePool {
  const [pool, second] = pools
  if (pool === undefined) {
    const what =
      wanted.warmPoolId ??
      `of project ${wanted.project}${wanted.environmentClass === undefined ? '' : ` and class ${wanted.environmentClass}`}`
    throw new NoOnePool('not_found', `there is no warm pool ${what}`)
  }
  if (second !== undefined) {
    throw new NoOnePool('invalid', `project ${pool.project_name} has ${pools.length} pools: name the class`, {
      details: [
        {
          field: 'body.spec.environmentClass',
          given: 'nothing',
          expected: `the class of one of ${pools.map(({ name }) => name).join(', ')}`,
        },
      ],
    })
  }
  return pool
}

function refusal(pool: ClaimablePool, empty: EmptyPool): HearthError {
  const { provisioning, failed, quota, lack } = empty
  const counts = `${provisioning} on their way, ${failed} failed`
  const none = `pool ${pool.name} has no ready environment${onRunner(empty)}`
  const message =
    lack != null
      ? `${none}, and no room to run one that is at rest (${lack}): try again, or release a claim`
      : quota === null
        ? `${none} (${counts}): try again, or claim with fallback cold`
        : `${none} (${counts}), and makes no more while the organization has ${describeUsed(quota)}: release or delete one, or have the quota raised`
  return new HearthError('pool_empty', message, {
    facts: { warmPoolId: pool.id, provisioning, failed, ...(quota === null ? {} : { quota: quota.quota }) },
  })
}

async function makeCold(
  tx: DatabaseTransaction,
  pool: ClaimablePool,
  { setup, branch, environmentClassId }: EmptyPool,
  { claimant, caller, now }: { claimant: Claimant; caller: Caller; now: Date },
): Promise<EnvironmentRow> {
  const project = await tx
    .selectFrom('projects')
    .selectAll()
    .where('id', '=', pool.project_id)
    .executeTakeFirstOrThrow()
  if (project.phase === 'deleting')
    throw new HearthError('conflict', `project ${project.name} is being deleted`)
  const environmentClass = await tx
    .selectFrom('environment_classes')
    .selectAll()
    .where('id', '=', environmentClassId)
    .executeTakeFirstOrThrow()
  const owner = { kind: 'warm-pool' as const, id: pool.id, setup, branch }
  const plan = buildPlan(project.spec, environmentClass.spec, owner)
  return createEnvironment(tx, {
    ...(await prebuiltStart(tx, { project, environmentClassId, plan, branch })),
    project,
    environmentClass,
    owner,
    claimId: claimant.id,
    life: claimant.life,
    runnerId: claimant.runnerId,
    creator: caller.principalId,
    limits: caller.limits,
    now,
  })
}
