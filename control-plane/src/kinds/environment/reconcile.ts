import type { Failure } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { requestOrder, requestPurge } from '../../database/outbox.ts'
import { place } from '../../placement/place.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { beginJob, continueJob } from '../job/index.ts'
import { decide, type EnvironmentAction, type ObservedEnvironment } from './decide.ts'
import { desirePhase } from './desire.ts'
import { movePhase, withFailure } from './phase.ts'
import { lockEnvironment, observeFleet } from './queries.ts'
import type { EnvironmentRow } from './table.ts'

/** How soon a machine without a runner looks again, in case no event tells of new room; the longer it waits, the later. */
const placementRetryMilliseconds = { least: 30_000, most: 120_000 }

export const environmentReconciler: Reconciler = {
  kind: 'environment',
  async reconcile(id, { tx, clock }) {
    const row = await lockEnvironment(tx, id)
    if (row === undefined) return null
    const now = clock.now()
    const action = decide(await observe(tx, row, now))
    const after = action === null ? row : await carryOut(tx, row, action, now)
    if (after.phase === 'pending') {
      const { least, most } = placementRetryMilliseconds
      const age = now.getTime() - after.created_at.getTime()
      return new Date(now.getTime() + Math.min(most, Math.max(least, age)))
    }
    return after.deadline
  },
}

async function observe(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<ObservedEnvironment> {
  const surroundings = await tx
    .selectFrom('projects')
    .leftJoin('runners', (join) => join.on('runners.id', '=', row.runner_id))
    .select([
      'projects.phase as project_phase',
      'runners.name as runner_name',
      'runners.phase as runner_phase',
    ])
    .where('projects.id', '=', row.project_id)
    .executeTakeFirst()
  return {
    phase: row.phase,
    desiredPhase: row.desired_phase,
    deadline: row.deadline,
    unreachable: row.unreachable,
    projectDeleting: surroundings === undefined || surroundings.project_phase === 'deleting',
    runner:
      row.runner_id === null
        ? null
        : {
            name: surroundings?.runner_name ?? row.runner_id,
            silent: surroundings?.runner_phase === 'offline' || surroundings?.runner_phase === 'deleted',
            removed: surroundings?.runner_phase === 'deleted',
          },
    now,
  }
}

async function carryOut(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  action: EnvironmentAction,
  now: Date,
): Promise<EnvironmentRow> {
  switch (action.do) {
    case 'desire-deletion':
      return desirePhase(tx, row, 'deleted')
    case 'place':
      return placeOn(tx, row, now)
    case 'begin-deletion': {
      const subject = {
        organizationId: row.organization_id,
        operation: 'environment.delete' as const,
        kind: 'Environment',
        id: row.id,
      }
      await beginJob(tx, subject, { time: now.toISOString(), level: 'info', message: 'removing the machine' })
      await order(tx, row)
      return movePhase(tx, row, { phase: 'deleting', now })
    }
    case 'repeat-deletion':
      await order(tx, row)
      return repeatDeletion(tx, row, action.failure, now)
    case 'forget':
      if (row.runner_id !== null) await requestPurge(tx, { id: row.id, runnerId: row.runner_id })
      return forget(tx, row, now)
    case 'fail':
      return movePhase(tx, row, { phase: 'failed', status: withFailure(row.status, action.failure), now })
    case 'mark-unreachable':
      await tx
        .updateTable('environments')
        .set({ unreachable: action.unreachable })
        .where('id', '=', row.id)
        .execute()
      return movePhase(tx, { ...row, unreachable: action.unreachable }, { phase: row.phase, now })
    default:
      return assertNever(action)
  }
}

async function placeOn(tx: DatabaseTransaction, row: EnvironmentRow, now: Date): Promise<EnvironmentRow> {
  const environmentClass = await tx
    .selectFrom('environment_classes')
    .select('spec')
    .where('id', '=', row.environment_class_id)
    .executeTakeFirstOrThrow()
  // The size is the plan's: the class may have changed since.
  const { image, virtualCpus, memoryMebibytes, diskGibibytes } = row.spec.plan
  const wanted = { ...environmentClass.spec, image, virtualCpus, memoryMebibytes, diskGibibytes }
  const placement = place(wanted, await observeFleet(tx, row.organization_id))
  const status = { ...row.status, placement: placement.reason }
  if (placement.runnerId === null) {
    return placement.reason === row.status.placement
      ? row
      : movePhase(tx, row, { phase: 'pending', status, now })
  }
  const placed = await movePhase(tx, row, {
    phase: 'provisioning',
    status,
    runnerId: placement.runnerId,
    now,
  })
  await order(tx, placed)
  const entry = { time: now.toISOString(), level: 'info' as const, message: `placed ${placement.reason}` }
  await continueJob(tx, { operation: 'environment.provision', id: row.id }, [entry])
  return placed
}

async function order(tx: DatabaseTransaction, row: EnvironmentRow): Promise<void> {
  if (row.runner_id !== null) await requestOrder(tx, { id: row.id, runnerId: row.runner_id })
}

async function repeatDeletion(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  failure: Failure,
  now: Date,
): Promise<EnvironmentRow> {
  const changed = await movePhase(tx, row, {
    phase: 'deleting',
    status: withFailure(row.status, failure),
    now,
  })
  const deadline = new Date(now.getTime() + 60_000)
  await tx.updateTable('environments').set({ deadline }).where('id', '=', row.id).execute()
  return { ...changed, deadline }
}

/** Ends an environment without its runner's word. */
export async function forget(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<EnvironmentRow> {
  const deleting = row.phase === 'pending' || row.phase === 'failed' || row.phase === 'deleting'
  const ready = deleting ? row : await movePhase(tx, row, { phase: 'deleting', now })
  return movePhase(tx, ready, { phase: 'deleted', now })
}
