import type { ClaimBinding } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wake } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import {
  activeAt,
  addLabels,
  beginLife,
  buildPlan,
  createEnvironment,
  desireDeletion,
  type EnvironmentRow,
  lifeShown,
  prebuiltStart,
  withPlan,
} from '../environment/index.ts'
import { orderBinding } from './binding/order.ts'
import { pendingBinding, type StoredBinding } from './binding/stored.ts'
import { toListedClaim } from './listed.ts'
import { claims, takeReadyMember } from './queries.ts'
import type { ClaimRow } from './table.ts'

/**
 * Gives a claim another environment for one whose host is lost: a ready member of its pool, or a new one. The lost
 * environment is given up in the same transaction, so that its host, on its return, learns that its machine is
 * unwanted, and the claim never has two. Both rows must have been read under lock.
 */
export async function replaceMachine(
  tx: DatabaseTransaction,
  claim: ClaimRow,
  lost: EnvironmentRow,
  now: Date,
): Promise<void> {
  await desireDeletion(tx, lost, { reason: 'runner_lost' }, now)
  // Nobody could use it while its host was silent: the other machine counts as used from now.
  const life = lost.life == null ? null : activeAt(lost.life, now, now)
  const ready = await takeReadyMember(tx, claim.warm_pool_id, {
    id: claim.id,
    creator: claim.creator,
    // What it was to be beside is lost with its host.
    runnerId: null,
    life,
  })
  if (ready !== undefined) {
    await beginLife(tx, ready, now)
    await addLabels(tx, ready, lost.labels)
  }
  const machine = ready ?? (await makeAnew(tx, claim, lost, now))
  const { binding } = claim.spec
  // The other machine has nothing of what was bound to the lost one.
  const anew = binding === undefined ? null : bindingFor(binding, claim, ready, now)
  const isGiven = ready !== undefined && (binding === undefined || binding.waitFor === 'address')
  const status = {
    ...claim.status,
    source: ready === undefined ? ('cold' as const) : ('running' as const),
    boundAt: isGiven ? now.toISOString() : null,
    ...(anew === null ? {} : { binding: anew }),
    lost: { environmentId: lost.id, runnerId: lost.runner_id ?? lost.id, at: now.toISOString() },
    ...(machine === null ? { failure: nothingToMake } : {}),
  }
  const phase = machine === null ? 'failed' : isGiven ? 'bound' : 'pending'
  const changed = await claims.changeStatus(tx, claim.id, {
    phase,
    status,
    environment_id: machine?.id ?? claim.environment_id,
  })
  await recordEvent(tx, 'updated', toListedClaim(changed, lifeShown(machine ?? undefined)))
  if (machine !== null) await moveRoutes(tx, lost.id, machine.id)
  if (ready !== undefined && anew !== null) await orderBinding(tx, changed, ready)
}

function bindingFor(
  binding: ClaimBinding,
  { status }: ClaimRow,
  ready: EnvironmentRow | undefined,
  now: Date,
): StoredBinding {
  return pendingBinding(binding, status.binding?.attempt ?? 1, ready === undefined ? null : now.toISOString())
}

const nothingToMake = {
  code: 'runner_lost' as const,
  message: 'the host of its environment is lost, and the class that another would be made of is gone',
}

async function makeAnew(
  tx: DatabaseTransaction,
  claim: ClaimRow,
  lost: EnvironmentRow,
  now: Date,
): Promise<EnvironmentRow | null> {
  const project = await tx
    .selectFrom('projects')
    .selectAll()
    .where('id', '=', lost.project_id)
    .executeTakeFirstOrThrow()
  const environmentClass = await tx
    .selectFrom('environment_classes')
    .selectAll()
    .where('id', '=', lost.environment_class_id)
    .executeTakeFirst()
  if (environmentClass === undefined) return null
  const pool = await tx
    .selectFrom('warm_pools')
    .select('spec')
    .where('id', '=', claim.warm_pool_id)
    .executeTakeFirst()
  const branch = pool?.spec.branch ?? null
  const owner = {
    kind: 'warm-pool' as const,
    id: claim.warm_pool_id,
    setup: pool?.spec.setup ?? (await withPlan(tx, lost)).spec.plan.warmPoolSetup,
    branch,
  }
  const plan = buildPlan(project.spec, environmentClass.spec, owner)
  return createEnvironment(tx, {
    ...(await prebuiltStart(tx, { project, environmentClassId: environmentClass.id, plan, branch })),
    project,
    environmentClass,
    owner,
    claimId: claim.id,
    life: lost.life,
    creator: claim.creator,
    // The lost environment, which is given up, no longer counts for quotas.
    limits: null,
    labels: lost.labels,
    now,
  })
}

/** The host names of the lost environment lead to the other one from now on. */
async function moveRoutes(tx: DatabaseTransaction, from: string, to: string): Promise<void> {
  const moved = await tx
    .updateTable('routes')
    .set({ environment_id: to })
    .where('environment_id', '=', from)
    .where('claim_id', 'is not', null)
    .returning('id')
    .execute()
  if (moved.length === 0) return
  await tx.updateTable('environments').set({ has_routes: true }).where('id', '=', to).execute()
  await wake(tx, 'route', to)
}
