import {
  type DesiredPhase,
  type EnvironmentPhase,
  type Failure,
  type RoutePhase,
  routeLimits,
  routeSeconds,
} from '@hearth/contract'

/** The environment that routes lead to, and what its runner can do. */
export interface SeenMachine {
  name: string
  phase: EnvironmentPhase
  desiredPhase: DesiredPhase
  unreachable: boolean
  runnerId: string | null
  runner: SeenRunner | null
}
export interface SeenRunner {
  name: string
  /** Whether its agent knows routes; an older one would leave the order lying. */
  isAble: boolean
  ingress: { base: string; port: number } | null
  ingressFault: string | null
  /** Routes that it serves. */
  routes: number
}

export interface SeenRoute {
  name: string
  phase: RoutePhase
  desired: 'open' | 'delete'
  /** The runner that was ordered to serve it. */
  runnerId: string | null
  host: string | null
  proxyPort: number | null
  waitsFor: string | null
  deadline: Date | null
  failure: Failure | null
  /** Whether another route has the host name that this one would get. */
  isTaken: boolean
}

export type RouteAction =
  | { do: 'remove' }
  | { do: 'close'; deadline: Date }
  | { do: 'wait'; waitsFor: string; deadline: Date | null }
  | { do: 'open'; host: string; proxyPort: number; deadline: Date }
  | { do: 'take-back' } // its environment is on another runner now
  | { do: 'postpone'; deadline: Date } // who would serve it cannot be asked now
  | { do: 'fail'; failure: Failure }

const later = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000)

/** The next action for one route; null when only an event or a time can change anything. */
export function decide(route: SeenRoute, machine: SeenMachine, now: Date): RouteAction | null {
  const isPast = route.deadline !== null && route.deadline <= now
  const isGoing =
    route.desired === 'delete' ||
    machine.desiredPhase === 'deleted' ||
    machine.phase === 'deleting' ||
    machine.phase === 'deleted'
  if (isGoing) {
    if (route.runnerId === null || (route.phase === 'deleting' && isPast)) return { do: 'remove' }
    return route.phase === 'deleting' ? null : { do: 'close', deadline: later(now, routeSeconds.deleting) }
  }
  if (route.runnerId !== null && route.runnerId !== machine.runnerId) return { do: 'take-back' }
  const { runner } = machine
  if (runner === null || machine.runnerId === null) {
    const waitsFor = `environment ${machine.name} to be placed on a runner`
    // The environment has a deadline of its own for that.
    return isWaiting(route, waitsFor) ? null : { do: 'wait', waitsFor, deadline: null }
  }
  // One that was ordered has a runner that says itself how it fares.
  const isOrdered = route.runnerId !== null && route.phase !== 'pending'
  const lack = isOrdered ? null : lackOf(runner, route)
  if (lack !== null) return decideWait(route, lack, isPast, now)
  if (runner.ingress === null) return decideLate(route, machine, runner, isPast, now)
  const host = `${route.name}.${runner.ingress.base}`
  if (route.isTaken) {
    const message = `the host name ${host} belongs to a route of another organization: delete this route, and make one with another name`
    return route.failure?.code === 'name_taken'
      ? null
      : { do: 'fail', failure: { code: 'name_taken', message } }
  }
  const isAsTold = route.host === host && route.proxyPort === runner.ingress.port && route.runnerId !== null
  const isOpen = route.phase === 'active' || route.phase === 'opening'
  const opened = {
    do: 'open',
    host,
    proxyPort: runner.ingress.port,
    deadline: later(now, routeSeconds.opening),
  } as const
  if (isOpen && !isAsTold) return opened
  if (route.phase === 'pending' || (route.phase === 'failed' && isRepaired(route))) return opened
  return decideLate(route, machine, runner, isPast, now)
}

/** Only who can be asked is late. */
function decideLate(
  { phase, host }: SeenRoute,
  { unreachable }: SeenMachine,
  runner: SeenRunner,
  isPast: boolean,
  now: Date,
): RouteAction | null {
  if (phase !== 'opening' || !isPast) return null
  if (unreachable) return { do: 'postpone', deadline: later(now, routeSeconds.opening) }
  const message = `runner ${runner.name} has not said within ${routeSeconds.opening} s that it serves ${host}: change the route, and it is asked again`
  return { do: 'fail', failure: { code: 'deadline_passed', message } }
}

/** What keeps a runner from serving one more route, as what is waited for; null for nothing. */
function lackOf(runner: SeenRunner, { runnerId }: SeenRoute): string | null {
  const { name, isAble, ingress, ingressFault, routes } = runner
  if (!isAble) return `runner ${name} to get an agent that serves routes: update it`
  if (ingressFault !== null) return `runner ${name} to serve routes: ${ingressFault}`
  if (ingress === null) return `runner ${name} to serve routes: set HEARTH_INGRESS_DOMAIN for its agent`
  if (runnerId === null && routes >= routeLimits.ofRunner)
    return `runner ${name} to have less than ${routeLimits.ofRunner} routes: delete some`
  return null
}

const isWaiting = ({ phase, waitsFor }: SeenRoute, wanted: string) =>
  phase === 'pending' && waitsFor === wanted

function decideWait(route: SeenRoute, waitsFor: string, isPast: boolean, now: Date): RouteAction | null {
  if (route.phase === 'failed') return null
  const failure: Failure = {
    code: 'host_refused',
    message: `it waited ${routeSeconds.pending} s for ${waitsFor}`,
  }
  if (route.phase === 'pending' && isPast) return { do: 'fail', failure }
  if (isWaiting(route, waitsFor)) return null
  const deadline = route.phase === 'pending' ? route.deadline : null
  return { do: 'wait', waitsFor, deadline: deadline ?? later(now, routeSeconds.pending) }
}

/** Whether it failed for what is not so any more: its runner could not serve it, or the name was another's. */
function isRepaired({ failure, runnerId }: SeenRoute): boolean {
  return runnerId === null && (failure?.code === 'host_refused' || failure?.code === 'name_taken')
}
