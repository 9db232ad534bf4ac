import {
  type Failure,
  type SnapshotDeletion,
  type SnapshotHolder,
  type SnapshotPhase,
  type SnapshotSpec,
  snapshotSeconds,
  snapshotWork,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

/** A runner that has the layer, or is to have it. */
export interface SeenHolder {
  runnerId: string
  runner: string
  phase: SnapshotHolder['phase']
  failure: Failure | null
  keptBy: readonly string[]
  /** A copy that was never ordered. */
  unordered: boolean
  /** Nobody hears of the runner. */
  silent: boolean
  removed: boolean
  agentVersion: string | null
  /** The kinds of work that its agent knows; null until it has said so. */
  workKinds: readonly string[] | null
}

export interface SeenSnapshot {
  phase: SnapshotPhase
  desiredPhase: SnapshotSpec['desiredPhase']
  deadline: Date | null
  projectDeleting: boolean
  holders: readonly SeenHolder[]
  now: Date
}

export type SnapshotAction =
  | { do: 'forget-holders'; runnerIds: string[] } // their runners are gone, or remove it when they return
  | { do: 'desire-deletion'; reason: SnapshotDeletion['reason'] }
  | { do: 'move'; to: 'creating' | 'ready' | 'deleted' }
  | { do: 'begin-deletion' } // have its runners remove it
  | { do: 'repeat-deletion'; failure: Failure | null } // ask again; the failure says why it waits, unless it is in use
  | { do: 'fail'; failure: Failure }

/** The next action for a snapshot: at most one, since the next look sees its result. */
export function decide(seen: SeenSnapshot): SnapshotAction | null {
  if (seen.phase === 'deleted') return null
  const isGoing = seen.desiredPhase === 'deleted'
  // A silent runner learns from its next synchronisation that the layer is unwanted.
  const isOver = isGoing || seen.phase === 'failed'
  const gone = seen.holders.filter(
    ({ removed, silent, unordered }) => removed || (silent && isGoing) || (unordered && isOver),
  )
  if (gone.length > 0) return { do: 'forget-holders', runnerIds: gone.map(({ runnerId }) => runnerId) }
  if (isGoing) return decideDeletion(seen)
  if (seen.projectDeleting) return { do: 'desire-deletion', reason: 'project_deleted' }
  switch (seen.phase) {
    case 'failed':
      return null
    case 'ready':
      return seen.holders.some(({ phase }) => phase === 'present') ? null : { do: 'fail', failure: lost }
    case 'pending':
    case 'creating':
      return decideCreation(seen)
    case 'deleting':
      return null
    default:
      return assertNever(seen.phase)
  }
}

const lost: Failure = { code: 'runner_lost', message: 'no runner holds it any more' }

function decideDeletion(seen: SeenSnapshot): SnapshotAction | null {
  if (seen.holders.length === 0) return { do: 'move', to: 'deleted' }
  if (seen.phase !== 'deleting') return { do: 'begin-deletion' }
  if (!passed(seen)) return null
  const isInUse = seen.holders.some(({ keptBy }) => keptBy.length > 0)
  return { do: 'repeat-deletion', failure: isInUse ? null : deadlineFailure(seen) }
}

function decideCreation(seen: SeenSnapshot): SnapshotAction | null {
  const { holders } = seen
  if (holders.length === 0) return { do: 'fail', failure: lost }
  if (holders.some(({ phase }) => phase === 'present')) return { do: 'move', to: 'ready' }
  const [failed] = holders
  if (failed !== undefined && holders.every(({ phase }) => phase === 'failed'))
    return { do: 'fail', failure: failed.failure ?? { code: 'internal', message: 'no cause was reported' } }
  const [unable] = holders.filter(({ phase }) => phase === 'pending').filter(isUnable)
  if (unable !== undefined) return { do: 'fail', failure: unableFailure(unable.runner, unable.agentVersion) }
  if (passed(seen)) return { do: 'fail', failure: deadlineFailure(seen) }
  const isBegun = holders.some(({ phase }) => phase === 'creating' || phase === 'copying')
  return isBegun && seen.phase === 'pending' ? { do: 'move', to: 'creating' } : null
}

const passed = ({ deadline, now }: SeenSnapshot) => deadline !== null && deadline <= now

/** Whether the agent is too old: it would leave the order lying. */
const isUnable = ({ workKinds }: SeenHolder) => workKinds !== null && !workKinds.includes(snapshotWork.kind)

export function unableFailure(runner: string, agentVersion: string | null): Failure {
  return {
    code: 'host_refused',
    message: `the agent of ${runner} (version ${agentVersion ?? 'unknown'}) cannot make snapshots: update it`,
  }
}

/** Names what was waited for, the runner, and its agent where that never began. */
function deadlineFailure({ phase, holders }: SeenSnapshot): Failure {
  const silent = holders.find((holder) => holder.silent)
  if (silent !== undefined)
    return { code: 'runner_lost', message: `runner ${silent.runner} went silent while it was ${phase}` }
  const runners = holders
    .map(({ runner, agentVersion }) => `${runner} (agent ${agentVersion ?? 'of an unknown version'})`)
    .join(', ')
  const waited = phase === 'pending' ? 'to begin' : phase === 'creating' ? 'to finish' : 'to remove it'
  return { code: 'deadline_passed', message: `it waited for ${runners} ${waited} until its deadline passed` }
}

/** When the wait of a phase that begins now ends; null for a phase that waits for nothing. */
export function deadlineOf(phase: SnapshotPhase, now: Date): Date | null {
  switch (phase) {
    case 'pending':
    case 'creating':
    case 'deleting':
      return new Date(now.getTime() + snapshotSeconds[phase] * 1000)
    case 'ready':
    case 'failed':
    case 'deleted':
      return null
    default:
      return assertNever(phase)
  }
}
