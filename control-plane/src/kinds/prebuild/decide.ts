import {
  type EnvironmentPhase,
  type Failure,
  isPrebuildActive,
  isPrebuildEnded,
  type PrebuildDesiredPhase,
  type PrebuildPhase,
  prebuildPhaseTable,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { BootCount } from './boots.decide.ts'
import { decideTemplates, type SeenTemplates, type TemplateAction } from './templates/decide.ts'

export type SeenTasks =
  | { state: 'unbegun' | 'done' }
  | { state: 'working' | 'serving'; name: string }
  | { state: 'failed'; failure: Failure }

/** One prebuild and what its next action depends on, as read under lock. */
export interface SeenPrebuild {
  phase: PrebuildPhase
  desiredPhase: PrebuildDesiredPhase
  projectDeleting: boolean
  deadline: Date | null
  timeoutSeconds: number
  /** The prebuild of its project and class that is being made before it; null when it is its turn. */
  before: string | null
  /** The machine that it is built on; null when there is none. */
  environment: {
    phase: EnvironmentPhase
    /** Whether it is to be deleted. */
    going: boolean
    unreachable: boolean
    failure: Failure | null
  } | null
  /** How far the tasks are that prebuilds run, once its machine runs. */
  tasks: SeenTasks
  /** The snapshot of its disk; null when there is none. */
  snapshot: { phase: 'making' | 'ready' | 'failed'; going: boolean; failure: Failure | null } | null
  /** All snapshots of it that are not deleted: of its disk, and with its memory. */
  snapshots: {
    going: boolean
    /** The runners that have a layer of it, and whether something else stands on that. */
    left: { runner: string; isUsed: boolean }[]
  }[]
  /** Machines of it that are not gone: what it is built on, and its templates. */
  machines: { going: boolean }[]
  /** How many machines in a row could not start from it: as it is written, and as is known now. */
  boots: { written: BootCount; counted: BootCount }
  /** The templates of a complete one; null for another, and for one that is to go. */
  templates: SeenTemplates | null
  now: Date
}

export type PrebuildAction =
  | { do: 'start' } // make the machine that it is built on
  | { do: 'move'; to: 'running' | 'completed' | 'cancelling' | 'cancelled' | 'deleting' | 'deleted' }
  | { do: 'run-tasks' } // have the tasks run that prebuilds run
  | { do: 'end-services' } // that the tasks needed
  | { do: 'stop' } // have the machine scrubbed and shut down
  | { do: 'freeze' } // have its disk made a snapshot and searched
  | { do: 'fail'; failure: Failure }
  | { do: 'clear' } // have the machines removed, and the snapshot of one that has not completed
  | { do: 'count-boots'; boots: BootCount }
  | { do: 'template'; action: TemplateAction } // keep the memory of a machine that has booted from it, or let that go
  | { do: 'remind'; failure: Failure | null } // what is waited for did not happen: ask again; no fault where layers are in use

/** The next action: at most one, since the next reconcile sees its result. */
export function decide(seen: SeenPrebuild): PrebuildAction | null {
  const { phase, desiredPhase, projectDeleting } = seen
  if (phase === 'deleted') return null
  if (phase === 'deleting') return decideEnd(seen, 'deleted')
  if (desiredPhase === 'deleted' || projectDeleting) return { do: 'move', to: 'deleting' }
  if (phase === 'cancelling') return decideEnd(seen, 'cancelled')
  if (desiredPhase === 'cancelled' && !isPrebuildEnded(phase))
    return { do: 'move', to: isPrebuildActive(phase) ? 'cancelling' : 'cancelled' }
  if (isPrebuildEnded(phase)) return isCleared(seen) ? decideUse(seen) : { do: 'clear' }
  if (seen.deadline !== null && seen.deadline <= seen.now) return { do: 'fail', failure: lateFailure(seen) }
  if (phase === 'pending') return seen.before === null ? { do: 'start' } : null
  return phase === 'snapshotting' ? decideSnapshot(seen) : decideMachine(seen)
}

/** What follows from the machines that were given a complete one, and from those that will be. */
function decideUse({ boots, templates }: SeenPrebuild): PrebuildAction | null {
  const { written, counted } = boots
  if (written.failed !== counted.failed || written.unexplained !== counted.unexplained)
    return { do: 'count-boots', boots: counted }
  const action = templates === null ? null : decideTemplates(templates)
  return action === null ? null : { do: 'template', action }
}

/** The machine leads from `starting` to `stopping`. */
function decideMachine(seen: SeenPrebuild): PrebuildAction | null {
  const { environment, phase } = seen
  if (environment === null || environment.going)
    return {
      do: 'fail',
      failure: { code: 'internal', message: `its environment was deleted while it was ${phase}` },
    }
  switch (environment.phase) {
    case 'failed':
      return { do: 'fail', failure: environment.failure ?? unexplained('its environment') }
    case 'pending':
      return null
    case 'provisioning':
    case 'starting':
      return phase === 'starting' ? { do: 'move', to: 'running' } : null
    case 'running':
    case 'stopping':
    // Somebody suspends it: to be stopped, it goes on first.
    case 'suspending':
    case 'suspended':
    case 'resuming':
    case 'stopped':
      if (phase === 'starting') return { do: 'move', to: 'running' }
      if (phase === 'running') return decideTasks(seen, environment.phase)
      return environment.phase === 'stopped' ? { do: 'freeze' } : null
    case 'deleting':
    case 'deleted':
      return { do: 'fail', failure: unexplained('its environment') }
    default:
      return assertNever(environment.phase)
  }
}

/** Before its machine is stopped, the tasks run that prebuilds run. */
function decideTasks({ tasks }: SeenPrebuild, machine: EnvironmentPhase): PrebuildAction | null {
  switch (tasks.state) {
    case 'done':
      return { do: 'stop' }
    case 'failed':
      return { do: 'fail', failure: tasks.failure }
    case 'unbegun':
    case 'working':
    case 'serving':
      if (machine === 'stopping' || machine === 'stopped')
        return {
          do: 'fail',
          failure: { code: 'cancelled', message: 'its environment was stopped before its tasks had ended' },
        }
      if (machine !== 'running' || tasks.state === 'working') return null
      return { do: tasks.state === 'unbegun' ? 'run-tasks' : 'end-services' }
    default:
      return assertNever(tasks)
  }
}

function decideSnapshot({ snapshot }: SeenPrebuild): PrebuildAction | null {
  if (snapshot === null || snapshot.going)
    return {
      do: 'fail',
      failure: { code: 'internal', message: 'its snapshot was deleted before it was complete' },
    }
  switch (snapshot.phase) {
    case 'making':
      return null
    case 'ready':
      return { do: 'move', to: 'completed' }
    case 'failed':
      return { do: 'fail', failure: snapshot.failure ?? unexplained('its snapshot') }
    default:
      return assertNever(snapshot.phase)
  }
}

function decideEnd(seen: SeenPrebuild, to: 'cancelled' | 'deleted'): PrebuildAction | null {
  if (!isCleared(seen)) return { do: 'clear' }
  const { machines, snapshots } = seen
  if (machines.length === 0 && snapshots.length === 0) return { do: 'move', to }
  if (seen.deadline === null || seen.deadline > seen.now) return null
  const isInUse = machines.length === 0 && snapshots.every(({ left }) => left.some(({ isUsed }) => isUsed))
  return { do: 'remind', failure: isInUse ? null : lateFailure(seen) }
}

/** Whether all that it does not need any more has been asked to go. */
function isCleared({ phase, environment, snapshot, snapshots, machines }: SeenPrebuild): boolean {
  // Of a completed one the snapshot stays, and the templates are still being made.
  if (phase === 'completed') return environment === null || environment.going
  const all = [...machines, ...snapshots, ...(snapshot === null ? [] : [snapshot])]
  return all.every(({ going }) => going)
}

const unexplained = (what: string): Failure => ({
  code: 'internal',
  message: `${what} failed without a cause`,
})

function lateFailure(seen: SeenPrebuild): Failure {
  const { phase, timeoutSeconds, environment, before, snapshots, tasks } = seen
  const { wait, isTimed } = prebuildPhaseTable[phase]
  const waited = wait.waitsFor ?? 'a change'
  const silent = environment?.unreachable === true ? ', whose runner is silent' : ''
  const task = phase === 'running' && 'name' in tasks ? `, ${tasks.name} among them,` : ''
  const turn = phase === 'pending' && before !== null ? `; ${before} was before it` : ''
  const runners = [...new Set(snapshots.flatMap(({ left }) => left.map(({ runner }) => runner)))]
  const isGoing = phase === 'cancelling' || phase === 'deleting'
  const held = isGoing && runners.length > 0 ? ` on ${runners.join(', ')}` : ''
  const limit = isTimed ? ` of ${Math.round(timeoutSeconds / 60)} minutes` : ''
  return {
    code: 'deadline_passed',
    message: `it was ${phase} and waited for ${waited}${task}${held}${silent} until its time${limit} was over${turn}`,
  }
}
