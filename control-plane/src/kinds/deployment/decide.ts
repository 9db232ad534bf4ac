import {
  type DeploymentPhase,
  type DesiredPhase,
  deploymentSeconds,
  type EnvironmentPhase,
  type Failure,
  type WebAppPhase,
} from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

export interface SeenMachine {
  name: string
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  unreachable: boolean
}

/**
 * How a task or service of the deployment fares: `absent` where it was not made, or is gone, `going` where it is removed. A
 * service that tells itself when it is ready has no `since`.
 */
export type SeenStep = { name: string } & (
  | { state: 'absent' | 'working' | 'done' | 'going'; since: Date | null }
  | { state: 'failed'; failure: Failure }
)

export interface SeenDeployment {
  name: string
  phase: DeploymentPhase
  isCancelled: boolean
  deadline: Date | null
  waitsFor: string | null
  /** Why it is being reverted. */
  failure: Failure | null
  app: { name: string; phase: WebAppPhase; failure: Failure | null }
  /** What goes before it in its space: another deployment, or the removal of older releases. */
  before: string | null
  /** Another one was asked for after it. */
  isSuperseded: boolean
  needsPreparing: boolean
  /** Release commands that are to be run, and how many are done. */
  commands: number
  released: number
  /** The task of its phase: of `releasing` that of the command which is next; of `reverting` that which leads requests back. */
  task: SeenStep
  /** Services of the present release that have to end before those of this one begin. */
  singletons: readonly { name: string; isOver: boolean }[]
  hasEnded: boolean
  services: readonly SeenStep[]
  /** Whether requests may be led to it, and there is a release to lead them back to. */
  mustLeadBack: boolean
}

export type DeploymentAction =
  | { do: 'cancel'; message: string }
  | { do: 'wait'; waitsFor: string }
  | { do: 'enter'; phase: 'preparing' | 'releasing' | 'starting' | 'switching'; deadline: Date }
  | { do: 'run' } // the task of its phase
  | { do: 'note-released' }
  | { do: 'end-singletons' }
  | { do: 'start' } // its services
  | { do: 'look-again'; at: Date }
  | { do: 'succeed' }
  | { do: 'revert'; failure: Failure; deadline: Date }
  | { do: 'remove-services' }
  | { do: 'fail'; failure: Failure }

/** How long a process must have run, in seconds, that has nothing to tell by that it is ready. */
export const steadySeconds = 2

const later = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000)

/** The next action for a deployment; null when only an event or its deadline can change anything. */
export function decide(seen: SeenDeployment, machine: SeenMachine, now: Date): DeploymentAction | null {
  const { phase } = seen
  switch (phase) {
    case 'pending':
      return decidePending(seen, machine, now)
    case 'preparing':
    case 'releasing':
    case 'starting':
    case 'switching':
      return decideUnderway(seen, phase, now)
    case 'reverting':
      return decideReverting(seen, now)
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return null
    default:
      return assertNever(phase)
  }
}

function decidePending(seen: SeenDeployment, machine: SeenMachine, now: Date): DeploymentAction | null {
  const { app } = seen
  if (seen.isCancelled) return { do: 'cancel', message: 'it was cancelled before it began' }
  if (seen.isSuperseded)
    return { do: 'cancel', message: 'another deployment was asked for before its turn came' }
  if (app.phase === 'failed') {
    const cause = app.failure?.message ?? 'its set-up failed'
    return {
      do: 'fail',
      failure: { code: 'cancelled', message: `web app ${app.name} is not set up: ${cause}` },
    }
  }
  const waitsFor = whatIsBefore(seen, machine)
  if (waitsFor === null) return enter(afterPending(seen), now)
  if (isPast(seen, now)) {
    const message = `it waited ${deploymentSeconds.pending} s for ${waitsFor}`
    return { do: 'fail', failure: { code: 'deadline_passed', message } }
  }
  return seen.waitsFor === waitsFor ? null : { do: 'wait', waitsFor }
}

function whatIsBefore({ app, before }: SeenDeployment, machine: SeenMachine): string | null {
  if (app.phase !== 'ready') return `web app ${app.name} to be set up`
  if (before !== null) return before
  const { name, phase, desiredPhase, unreachable } = machine
  if (unreachable) return `the runner of environment ${name}, which is silent`
  if (phase === 'running') return null
  if (desiredPhase === 'stopped' || desiredPhase === 'suspended')
    return `environment ${name} to be started: it is ${phase}`
  return `environment ${name} to run: it is ${phase}`
}

const afterPending = (seen: SeenDeployment) => (seen.needsPreparing ? 'preparing' : afterPreparing(seen))
const afterPreparing = ({ commands, released }: SeenDeployment) =>
  released < commands ? 'releasing' : 'starting'

const enter = (phase: Extract<DeploymentAction, { do: 'enter' }>['phase'], now: Date): DeploymentAction => ({
  do: 'enter',
  phase,
  deadline: later(now, deploymentSeconds[phase]),
})

type Underway = 'preparing' | 'releasing' | 'starting' | 'switching'

function decideUnderway(seen: SeenDeployment, phase: Underway, now: Date): DeploymentAction | null {
  if (seen.isCancelled && phase !== 'switching')
    return revert({ code: 'cancelled', message: 'it was cancelled' }, now)
  const action = phase === 'starting' ? decideStarting(seen, now) : decideTask(seen, phase, now)
  // What is seen to be done was done in time.
  if ((action === null || action.do === 'look-again') && isPast(seen, now))
    return revert(late(seen, phase), now)
  return action
}

function decideTask(seen: SeenDeployment, phase: Exclude<Underway, 'starting'>, now: Date) {
  const { task, released, commands } = seen
  if (phase === 'releasing' && released >= commands) return enter('starting', now)
  switch (task.state) {
    case 'absent':
      return isPast(seen, now) ? null : ({ do: 'run' } as const)
    case 'working':
    case 'going':
      return null
    case 'failed':
      return revert(task.failure, now)
    case 'done':
      break
    default:
      return assertNever(task)
  }
  switch (phase) {
    case 'preparing':
      return enter(afterPreparing(seen), now)
    case 'releasing':
      return { do: 'note-released' } as const
    case 'switching':
      return { do: 'succeed' } as const
    default:
      return assertNever(phase)
  }
}

/** Of a process that may run only once, the former run has ended before the new one begins. */
function decideStarting(seen: SeenDeployment, now: Date): DeploymentAction | null {
  const { services, singletons } = seen
  const failed = services.find((service) => service.state === 'failed')
  if (failed !== undefined) return revert(failed.failure, now)
  if (services.some(({ state }) => state === 'absent')) {
    if (singletons.some(({ isOver }) => !isOver)) return seen.hasEnded ? null : { do: 'end-singletons' }
    return { do: 'start' }
  }
  const steady = services.map((service) =>
    service.state === 'done' ? (service.since === null ? now : later(service.since, steadySeconds)) : null,
  )
  const times = steady.filter((time) => time !== null)
  if (times.length < steady.length) return null
  const latest = new Date(Math.max(now.getTime(), ...times.map((time) => time.getTime())))
  return latest > now ? { do: 'look-again', at: latest } : enter('switching', now)
}

function decideReverting(seen: SeenDeployment, now: Date): DeploymentAction | null {
  const failure = seen.failure ?? { code: 'internal', message: 'it failed' }
  const isLate = isPast(seen, now)
  if (seen.mustLeadBack && !isLate) {
    if (seen.task.state === 'absent') return { do: 'run' }
    if (seen.task.state === 'working') return null
  }
  if (seen.services.some(({ state }) => state !== 'absent' && state !== 'going'))
    return { do: 'remove-services' }
  const isGone = seen.services.every(({ state }) => state === 'absent')
  return isGone || isLate ? { do: 'fail', failure } : null
}

const isPast = ({ deadline }: SeenDeployment, now: Date) => deadline !== null && deadline <= now

const revert = (failure: Failure, now: Date): DeploymentAction => ({
  do: 'revert',
  failure,
  deadline: later(now, deploymentSeconds.reverting),
})

function late(seen: SeenDeployment, phase: Underway): Failure {
  const { task, singletons, services } = seen
  const waited = () => {
    if (phase !== 'starting') return `task ${task.name} to end`
    const old = singletons.find(({ isOver }) => !isOver)
    if (old !== undefined) return `service ${old.name} of the release before to end`
    const unready = services.find(({ state }) => state !== 'done')
    return `service ${unready?.name ?? ''} to be ready`
  }
  const message = `it waited ${deploymentSeconds[phase]} s for ${waited()}`
  return { code: 'deadline_passed', message }
}
