import { isDeepStrictEqual } from 'node:util'
import type { LifeOver } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { wake } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { type EnvironmentRow, environments, forgetBindingSecrets, lifeShown } from '../environment/index.ts'
import { projects, specOf } from '../project/index.ts'
import { bindingDeadline } from './binding/follow.ts'
import { lookAtBinding } from './binding/look.ts'
import { type ClaimAction, type ClaimedBinding, decide, type SeenClaim } from './decide.ts'
import { toListedClaim } from './listed.ts'
import { claims } from './queries.ts'
import { replaceMachine } from './replace.ts'
import type { ClaimRow } from './table.ts'

export const claimReconciler: Reconciler = {
  kind: 'claim',
  async reconcile(id, { tx, clock }) {
    const unlocked = await claims.readById(tx, id)
    if (unlocked === undefined) return null
    // Locks the environment before its claim, in the same order as the release of a claim.
    const environment =
      unlocked.environment_id === null ? undefined : await environments.lockById(tx, unlocked.environment_id)
    const row = await claims.lockById(tx, id)
    if (row === undefined) return null
    if (row.environment_id !== unlocked.environment_id) {
      await wake(tx, 'claim', id)
      return null
    }
    const now = clock.now()
    const binding = await lookAtBinding(tx, row, environment, now)
    const followed = binding === null ? row : { ...row, status: { ...row.status, binding } }
    const action = decide(await look(tx, followed, environment))
    if (action?.do === 'replace') {
      if (environment !== undefined) await replaceMachine(tx, row, environment, now)
      return null
    }
    if (action !== null || !isDeepStrictEqual(binding, row.status.binding ?? null))
      await write(tx, followed, environment, action, now)
    // A machine that is gone already wakes nobody any more, and its claim is still to be released.
    if (action?.do === 'fail' && (environment === undefined || environment.phase === 'deleted'))
      await wake(tx, 'claim', id)
    return row.spec.binding === undefined || binding === null
      ? null
      : bindingDeadline(row.spec.binding, binding)
  },
}

async function look(
  tx: DatabaseTransaction,
  row: ClaimRow,
  environment: EnvironmentRow | undefined,
): Promise<SeenClaim> {
  const binding = claimedBinding(row)
  if (environment === undefined) return { phase: row.phase, environment: null, onHostLoss: 'wait', binding }
  // One that is gone is gone for good, whatever the project says.
  const isGone = environment.phase === 'deleted'
  const project = isGone ? undefined : await projects.readById(tx, environment.project_id)
  // An environment that is deleted with its project is not replaced.
  // A fork that is not there yet is not either: another machine would not have what it was made for.
  const stays = project?.phase === 'active' && !(row.phase === 'pending' && row.status.forkOf != null)
  return {
    phase: row.phase,
    environment: {
      phase: environment.phase,
      desiredPhase: environment.desired_phase,
      failure: environment.status.failure,
      unreachable: environment.unreachable && stays,
      everReady: environment.status.readyAt !== null && !isWaitedFor(row),
    },
    binding,
    onHostLoss: project === undefined ? 'wait' : specOf(project).onHostLoss,
  }
}

async function write(
  tx: DatabaseTransaction,
  row: ClaimRow,
  environment: EnvironmentRow | undefined,
  action: Exclude<ClaimAction, { do: 'replace' }> | null,
  now: Date,
): Promise<void> {
  const change = action === null ? row : changeOf(row, environment, action, now)
  const changed = await claims.changeStatus(tx, row.id, { phase: change.phase, status: change.status })
  if (action?.do === 'release') await forgetBindingSecrets(tx, row.id)
  // Its tasks and services that begin with the claim.
  if (action?.do === 'bind' && environment?.has_processes === true) await wake(tx, 'process', environment.id)
  await recordEvent(
    tx,
    action?.do === 'release' ? 'deleted' : 'updated',
    toListedClaim(changed, lifeShown(environment)),
  )
}

function changeOf(
  row: ClaimRow,
  environment: EnvironmentRow | undefined,
  action: Exclude<ClaimAction, { do: 'replace' }>,
  now: Date,
): Pick<ClaimRow, 'phase' | 'status'> {
  switch (action.do) {
    case 'bind':
      return {
        phase: 'bound',
        status: { ...row.status, ...sourceOf(row, environment), boundAt: now.toISOString(), failure: null },
      }
    case 'fail':
      return { phase: 'failed', status: { ...row.status, failure: action.failure } }
    case 'release':
      return { phase: 'released', status: { ...row.status, ended: endedBy(environment) } }
    default:
      return assertNever(action)
  }
}

/** The end of its life by which its environment was deleted. */
function endedBy(environment: EnvironmentRow | undefined): LifeOver | null {
  const reason = environment?.deletion?.reason
  return reason === 'lifetime_over' || reason === 'idle_over' ? (environment?.life?.over ?? null) : null
}

/** Whether nobody had the machine yet, although it may have been ready for long. */
function isWaitedFor({ phase, status }: ClaimRow): boolean {
  return phase === 'pending' && status.binding !== undefined && status.boundAt === null
}

function claimedBinding({ spec, status }: ClaimRow): ClaimedBinding | null {
  const { binding } = status
  if (spec.binding === undefined || binding === undefined) return null
  return { phase: binding.phase, failure: binding.failure, waitFor: spec.binding.waitFor }
}

/** A machine that was made for the claim says what it really started from. */
function sourceOf(
  { status }: ClaimRow,
  environment: EnvironmentRow | undefined,
): Partial<ClaimRow['status']> {
  const isResumed = environment?.status.startedFrom?.from === 'memory'
  return status.source === 'cold' && isResumed ? { source: 'resumable' } : {}
}
