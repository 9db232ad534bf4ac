import type { LifeOver } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Reconciler } from '../../reconciling/reconciler.ts'
import { wake } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { type EnvironmentRow, environments, lifeShown } from '../environment/index.ts'
import { projects, specOf } from '../project/index.ts'
import { type ClaimAction, decide, type SeenClaim } from './decide.ts'
import { claims } from './queries.ts'
import { replaceMachine } from './replace.ts'
import { type ClaimRow, toClaim } from './table.ts'

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
    const action = decide(await look(tx, row, environment))
    if (action !== null) await carryOut(tx, row, environment, action, clock.now())
    return null
  },
}

async function look(
  tx: DatabaseTransaction,
  row: ClaimRow,
  environment: EnvironmentRow | undefined,
): Promise<SeenClaim> {
  if (environment === undefined) return { phase: row.phase, environment: null, onHostLoss: 'wait' }
  const project = await projects.readById(tx, environment.project_id)
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
      everReady: environment.status.readyAt !== null,
    },
    onHostLoss: project === undefined ? 'wait' : specOf(project).onHostLoss,
  }
}

async function carryOut(
  tx: DatabaseTransaction,
  row: ClaimRow,
  environment: EnvironmentRow | undefined,
  action: ClaimAction,
  now: Date,
): Promise<void> {
  if (action.do === 'replace') {
    if (environment !== undefined) await replaceMachine(tx, row, environment, now)
    return
  }
  const changed = await claims.changeStatus(tx, row.id, changeOf(row, environment, action, now))
  await recordEvent(
    tx,
    action.do === 'release' ? 'deleted' : 'updated',
    toClaim(changed, null, lifeShown(environment)),
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

/** A machine that was made for the claim says what it really started from. */
function sourceOf(
  { status }: ClaimRow,
  environment: EnvironmentRow | undefined,
): Partial<ClaimRow['status']> {
  const isResumed = environment?.status.startedFrom?.from === 'memory'
  return status.source === 'cold' && isResumed ? { source: 'resumable' } : {}
}
