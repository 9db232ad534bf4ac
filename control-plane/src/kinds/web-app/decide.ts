import {
  type DesiredPhase,
  type EnvironmentPhase,
  type Failure,
  type WebAppPhase,
  webAppSeconds,
} from '@hearth/contract'

export interface SeenMachine {
  name: string
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  unreachable: boolean
}

/** The task that does something for the app once. */
export type SeenTask =
  | { state: 'absent' }
  | { state: 'done' }
  | { state: 'working'; waitsFor: string | null }
  | { state: 'failed'; failure: Failure }

export interface SeenWebApp {
  name: string
  phase: WebAppPhase
  desired: 'keep' | 'delete'
  deadline: Date | null
  waitsFor: string | null
  setUp: SeenTask
  /** Tasks and services that its spaces, its deployments and it itself keep, without those that remove its files. */
  processes: number
  /** The tasks that remove its files and databases, one a space. */
  removals: readonly SeenTask[]
}

export type WebAppAction =
  | { do: 'set-up' }
  | { do: 'wait'; waitsFor: string | null }
  | { do: 'be-ready' }
  | { do: 'fail'; failure: Failure }
  | { do: 'desire-deletion' } // its machine goes
  | { do: 'begin-deletion'; deadline: Date }
  | { do: 'remove-files' }
  | { do: 'forget'; warning: string | null }

/** The next action for a web app; null when only an event or its deadline can change anything. */
export function decide(seen: SeenWebApp, machine: SeenMachine, now: Date): WebAppAction | null {
  if (machine.phase === 'deleted') return { do: 'forget', warning: null }
  if (seen.desired === 'delete') return decideDeletion(seen, machine, now)
  if (machine.desiredPhase === 'deleted' || machine.phase === 'deleting') return { do: 'desire-deletion' }
  if (seen.phase !== 'provisioning') return null
  const { setUp } = seen
  if (setUp.state === 'done') return { do: 'be-ready' }
  if (setUp.state === 'failed') return { do: 'fail', failure: setUp.failure }
  if (isPast(seen, now)) {
    const waitedFor = (setUp.state === 'working' ? setUp.waitsFor : null) ?? 'its set-up to end'
    const message = `it waited ${webAppSeconds.provisioning} s for ${waitedFor}: retry it`
    return { do: 'fail', failure: { code: 'deadline_passed', message } }
  }
  if (setUp.state === 'absent') return { do: 'set-up' }
  return setUp.waitsFor === seen.waitsFor ? null : { do: 'wait', waitsFor: setUp.waitsFor }
}

/** What a machine that does not run holds of it goes with the machine. */
function decideDeletion(seen: SeenWebApp, machine: SeenMachine, now: Date): WebAppAction | null {
  if (seen.phase !== 'deleting')
    return { do: 'begin-deletion', deadline: new Date(now.getTime() + webAppSeconds.deleting * 1000) }
  const isGoing = machine.desiredPhase === 'deleted' || machine.phase === 'deleting'
  if (isGoing) return { do: 'forget', warning: null }
  if (machine.phase !== 'running' || machine.unreachable) {
    const state = machine.unreachable ? 'on a runner that is silent' : machine.phase
    const warning = `environment ${machine.name} is ${state}: the files and databases of the web app are left in it`
    return { do: 'forget', warning }
  }
  if (isPast(seen, now))
    return { do: 'forget', warning: `its files and databases may be left in environment ${machine.name}` }
  if (seen.processes > 0) return null
  if (seen.removals.some(({ state }) => state === 'absent')) return { do: 'remove-files' }
  if (seen.removals.some(({ state }) => state === 'working')) return null
  const failed = seen.removals.find((task) => task.state === 'failed')
  return { do: 'forget', warning: failed?.state === 'failed' ? failed.failure.message : null }
}

const isPast = ({ deadline }: SeenWebApp, now: Date) => deadline !== null && deadline <= now
