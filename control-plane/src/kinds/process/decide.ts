import {
  type DesiredPhase,
  type EnvironmentPhase,
  type Failure,
  nextRun,
  type ProcessPhase,
  type Readiness,
  type TaskSchedule,
} from '@hearth/contract'
import type { ProcessKind } from './table.ts'

/** The environment in which the processes run. */
export interface SeenMachine {
  name: string
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  unreachable: boolean
  runnerId: string | null
  /** Its runner's name. */
  runner: string | null
  /** Whether the runner's agent knows tasks and services; one of an older version would leave the order lying. */
  isAble: boolean
  /** Whether it brings files into a guest for them. */
  bringsInputs: boolean
  /** Rises each time it is put back to a checkpoint. */
  incarnation: number
}

export interface SeenProcess {
  name: string
  kind: ProcessKind
  phase: ProcessPhase
  desired: 'run' | 'stop' | 'delete'
  /** The runner that was ordered to see to it. */
  runnerId: string | null
  /** What it waits for among those it depends on, or the failure where waiting would not help. */
  dependencies: { waitsFor: string | null } | { failure: Failure }
  /** That of its machine when it was last ordered; null before that, and in those ordered by an older version. */
  incarnation: number | null
  /** Whether it is begun anew when its machine went down under it. */
  isKept: boolean
  readiness: Readiness | null
  /** Whether files are brought into its guest before it runs. */
  hasInputs: boolean
  schedule: TaskSchedule | null
  nextRunAt: Date | null
  isQueued: boolean
  /** Of `starting`; of one that has ended, when its runner is to forget it. */
  deadline: Date | null
  waitsFor: string | null
}

export type ProcessAction =
  | { do: 'remove' }
  | { do: 'fail'; failure: Failure }
  | { do: 'move'; to: 'stopped' | 'stopping' | 'deleting' }
  | { do: 'wait'; waitsFor: string } // before it is ordered; nothing but the sentence changes
  | { do: 'order'; deadline: Date }
  | { do: 'take-back' } // its environment is on another runner now
  | { do: 'postpone'; deadline: Date } // who would start it cannot be asked now
  | { do: 'schedule'; nextRunAt: Date | null; also: 'nothing' | 'start' | 'queue' | 'replace' }
  | { do: 'start-queued' }
  | { do: 'begin-again' } // its machine was put back: what runs there is not this run
  | { do: 'release' } // its runner need not know of it any more

/**
 * How long the guest keeps what it has of a process that has ended, in seconds: what is removed at once would slow the next
 * command down.
 */
export const keptSeconds = 5

/** How long a runner may take to say that it started a process, in seconds, beside what its readiness takes. */
export const startingSeconds = 120
/** The same for files that are brought into the guest before. */
export const inputsSeconds = 16 * 60

export const activePhases: ReadonlySet<ProcessPhase> = new Set([
  'pending',
  'starting',
  'running',
  'restarting',
  'stopping',
])

/** The next action for one of the processes of an environment; null when only an event or a time can change anything. */
export function decide(seen: SeenProcess, machine: SeenMachine, now: Date): ProcessAction | null {
  const { phase, desired } = seen
  if (machine.phase === 'deleted') return { do: 'remove' }
  if (desired === 'delete') return decideDeletion(seen, machine)
  const isGoing = machine.desiredPhase === 'deleted' || machine.phase === 'deleting'
  if (isGoing || machine.phase === 'failed') {
    if (!activePhases.has(phase)) return null
    const because = isGoing ? 'is being deleted' : 'has failed'
    return {
      do: 'fail',
      failure: { code: 'cancelled', message: `its environment ${machine.name} ${because}` },
    }
  }
  if (activePhases.has(phase) && seen.runnerId !== null && seen.runnerId !== machine.runnerId)
    return { do: 'take-back' }
  if (isPutBack(seen, machine)) return seen.isKept ? { do: 'begin-again' } : { do: 'fail', failure: putBack }
  if (desired === 'stop') {
    if (phase === 'pending' || (activePhases.has(phase) && seen.runnerId === null))
      return { do: 'move', to: 'stopped' }
    if (activePhases.has(phase) && phase !== 'stopping') return { do: 'move', to: 'stopping' }
  }
  const scheduled = decideSchedule(seen, machine, now)
  if (scheduled !== null) return scheduled
  if (!activePhases.has(phase) && seen.runnerId !== null && seen.deadline !== null && seen.deadline <= now)
    return { do: 'release' }
  if (phase === 'pending') return decideStart(seen, machine, now)
  if (phase === 'starting' && seen.deadline !== null && seen.deadline <= now)
    return decideLate(seen, machine, now)
  return null
}

/** What its guest had of it is that of the checkpoint, and ended when the guest became its machine's own again. */
function isPutBack({ phase, desired, incarnation }: SeenProcess, machine: SeenMachine): boolean {
  const isBegun = phase === 'starting' || phase === 'running' || phase === 'restarting'
  return isBegun && desired === 'run' && incarnation !== null && incarnation < machine.incarnation
}

const putBack: Failure = {
  code: 'cancelled',
  message: 'the task was cut short, since its machine was put back to a checkpoint',
}

/** A process that has no guest to run in is gone; of a suspended one nobody knows before it goes on. */
function decideDeletion(seen: SeenProcess, machine: SeenMachine): ProcessAction | null {
  const hasGuest = !['pending', 'stopped', 'failed', 'deleting'].includes(machine.phase)
  if (seen.runnerId === null || seen.runnerId !== machine.runnerId || !hasGuest) return { do: 'remove' }
  return seen.phase === 'deleting' ? null : { do: 'move', to: 'deleting' }
}

/** What is due while its environment rests is made up for once, when that runs again. */
function decideSchedule(seen: SeenProcess, machine: SeenMachine, now: Date): ProcessAction | null {
  const { schedule, nextRunAt, phase } = seen
  if (schedule === null || seen.desired !== 'run') return null
  if (nextRunAt === null) {
    const first = nextRun(schedule, now)
    return first === null ? null : { do: 'schedule', nextRunAt: first, also: 'nothing' }
  }
  const isActive = activePhases.has(phase)
  if (seen.isQueued && !isActive) return { do: 'start-queued' }
  if (nextRunAt > now || machine.phase !== 'running' || machine.unreachable) return null
  const next = nextRun(schedule, now)
  if (!isActive) return { do: 'schedule', nextRunAt: next, also: 'start' }
  const also = { skip: 'nothing', queue: 'queue', replace: 'replace' } as const
  return { do: 'schedule', nextRunAt: next, also: also[schedule.overlap] }
}

function decideStart(seen: SeenProcess, machine: SeenMachine, now: Date): ProcessAction | null {
  const { dependencies } = seen
  if ('failure' in dependencies) return { do: 'fail', failure: dependencies.failure }
  const waitsFor = machineToWaitFor(machine) ?? dependencies.waitsFor
  if (waitsFor !== null) return seen.waitsFor === waitsFor ? null : { do: 'wait', waitsFor }
  if (!machine.isAble) {
    const message = `the agent of runner ${machine.runner} is too old to run ${seen.kind}s: update it`
    return { do: 'fail', failure: { code: 'host_refused', message } }
  }
  if (seen.hasInputs && !machine.bringsInputs) {
    const message = `the agent of runner ${machine.runner} is too old to bring files into a machine, which ${seen.kind} ${seen.name} needs: update it`
    return { do: 'fail', failure: { code: 'host_refused', message } }
  }
  return { do: 'order', deadline: startDeadline(seen, now) }
}

function machineToWaitFor(machine: SeenMachine): string | null {
  const { name, phase, desiredPhase, unreachable, runner } = machine
  if (phase === 'running' && !unreachable) return null
  if (phase === 'running') return `runner ${runner}, which is silent`
  if (desiredPhase === 'stopped') return `environment ${name} to be started: it is ${phase}`
  if (desiredPhase === 'suspended') return `environment ${name} to be resumed: it is ${phase}`
  return `environment ${name} to run: it is ${phase}`
}

export function startDeadline(
  { readiness, hasInputs }: Pick<SeenProcess, 'readiness' | 'hasInputs'>,
  now: Date,
): Date {
  const before = hasInputs ? inputsSeconds : 0
  return new Date(now.getTime() + (startingSeconds + before + (readiness?.deadlineSeconds ?? 0)) * 1000)
}

/** Only who can be asked is late. */
function decideLate(seen: SeenProcess, machine: SeenMachine, now: Date): ProcessAction {
  if (machine.phase !== 'running' || machine.unreachable)
    return { do: 'postpone', deadline: startDeadline(seen, now) }
  const what = seen.readiness === null ? 'started it' : 'saw that it is ready'
  const message = `runner ${machine.runner} has not said in time that it ${what}`
  return { do: 'fail', failure: { code: 'deadline_passed', message } }
}
