import { environmentWork, type Failure } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { requestPurges } from '../../../database/outbox.ts'
import type { Reconciler } from '../../../reconciling/reconciler.ts'
import { wake } from '../../../reconciling/wake.ts'
import { actOnLife, writeLife } from '../life/act.ts'
import { decideLife } from '../life/ends.ts'
import { activeAt, withoutFuture } from '../life/life.ts'
import { lifeOf } from '../life/status.ts'
import { rulesFor } from '../owner-rules.ts'
import { sourceFailure } from '../placing/sources.ts'
import { environments } from '../queries.ts'
import type { EnvironmentRow } from '../table.ts'
import { beginDeletion, orderAgain } from './begin-deletion.ts'
import { deadlineWhile, decide, type EnvironmentAction, type SeenEnvironment } from './decide.ts'
import { desireDeletion } from './desire.ts'
import { movePhase, withFailure } from './phase.ts'
import { timerOf } from './timer.ts'

export const environmentReconciler: Reconciler = {
  kind: 'environment',
  async reconcile(id, { tx, clock }) {
    const row = await environments.lockById(tx, id)
    if (row === undefined) return null
    const now = clock.now()
    const action = decide(await look(tx, row, now))
    const after = action === null ? row : await carryOut(tx, row, action, now)
    return timerOf(action === null ? await live(tx, after, now) : after, now)
  },
}

/** What is to be done about its life, where nothing else is to be done with it. */
async function live(tx: DatabaseTransaction, row: EnvironmentRow, now: Date): Promise<EnvironmentRow> {
  const settled = row.life && withoutFuture(row.life, now)
  if (settled !== null && settled !== row.life) return writeLife(tx, row, settled, now, 'with an event')
  const { action } = decideLife(lifeOf(row), now)
  return action === null ? row : actOnLife(tx, row, action, now)
}

async function look(tx: DatabaseTransaction, row: EnvironmentRow, now: Date): Promise<SeenEnvironment> {
  const surroundings = await tx
    .selectFrom('projects')
    .leftJoin('runners', (join) => join.on('runners.id', '=', row.runner_id))
    .select([
      'projects.phase as project_phase',
      'runners.name as runner_name',
      'runners.phase as runner_phase',
      sql<string | null>`runners.status->>'leftAt'`.as('runner_left_at'),
    ])
    .where('projects.id', '=', row.project_id)
    .executeTakeFirst()
  return {
    phase: row.phase,
    desiredPhase: row.desired_phase,
    deadline: row.deadline,
    kept:
      row.remove_at === null
        ? null
        : { until: row.remove_at, endsFor: rulesFor(row)?.endsFor ?? 'test_over' },
    unreachable: row.unreachable,
    everReady: row.status.readyAt !== null,
    sourceFailure: row.phase === 'pending' ? await sourceFailure(tx, row.source) : null,
    projectDeleting: surroundings === undefined || surroundings.project_phase === 'deleting',
    runner:
      row.runner_id === null
        ? null
        : {
            name: surroundings?.runner_name ?? row.runner_id,
            // An agent that announced its stop may return before its lease is over.
            silent:
              (surroundings?.runner_phase === 'offline' && surroundings.runner_left_at === null) ||
              surroundings?.runner_phase === 'deleted',
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
      return desireDeletion(tx, row, { reason: action.reason }, now)
    case 'place':
      await wake(tx, 'placement', row.organization_id)
      return row
    case 'begin-deletion':
      return beginDeletion(tx, row, now)
    case 'repeat-deletion':
      await orderAgain(tx, row)
      return repeatDeletion(tx, row, action.failure, now)
    case 'forget':
      return forget(tx, row, now)
    case 'fail':
      return movePhase(tx, row, { phase: 'failed', status: withFailure(row.status, action.failure), now })
    case 'mark-unreachable':
      return markUnreachable(tx, row, action.unreachable, now)
    default:
      return assertNever(action)
  }
}

async function markUnreachable(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  unreachable: boolean,
  now: Date,
): Promise<EnvironmentRow> {
  const { phase } = row
  const everReady = row.status.readyAt !== null
  const deadline = deadlineWhile({ phase, everReady, deadline: row.deadline, now }, unreachable)
  await tx.updateTable('environments').set({ unreachable }).where('id', '=', row.id).execute()
  // The claim's reconciler decides what becomes of an environment whose host is lost.
  if (row.claim_id !== null) await wake(tx, 'claim', row.claim_id)
  if (row.has_processes) await wake(tx, 'process', row.id)
  // What was done in it meanwhile is not known, so that it counts as used until its runner is heard again.
  const life = unreachable || row.life === null ? row.life : activeAt(row.life, now, now)
  return movePhase(tx, { ...row, unreachable, deadline }, { phase, life, now })
}

async function repeatDeletion(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  failure: Failure,
  now: Date,
): Promise<EnvironmentRow> {
  const deadline = new Date(now.getTime() + 60_000)
  const status = withFailure(row.status, failure)
  return movePhase(tx, { ...row, deadline }, { phase: 'deleting', status, now })
}

/** Marks an environment deleted without its runner's confirmation, and purges an order that may wait for the runner. */
export async function forget(
  tx: DatabaseTransaction,
  row: EnvironmentRow,
  now: Date,
): Promise<EnvironmentRow> {
  if (row.runner_id !== null)
    await requestPurges(tx, environmentWork.kind, [{ id: row.id, runnerId: row.runner_id }])
  const deleting = row.phase === 'pending' || row.phase === 'failed' || row.phase === 'deleting'
  const ready = deleting ? row : await movePhase(tx, row, { phase: 'deleting', now })
  return movePhase(tx, ready, { phase: 'deleted', now })
}
