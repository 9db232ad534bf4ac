import type { Failure, ProcessPhase, SpacePhase, SpaceSpec, WebAppPhase } from '@hearth/contract'

/** A task or service that a deployment of the space keeps. */
export interface SeenProcess {
  id: string
  name: string
  kind: 'task' | 'service'
  /** The name of the app's process that a service is an instance of. */
  role: string
  deploymentId: string
  phase: ProcessPhase
  desired: 'run' | 'stop' | 'delete'
  waitsFor: string | null
  failure: Failure | null
}

export interface SeenCronJob {
  name: string
  /** The task that runs it; null while there is none. */
  task: { id: string; isAsWanted: boolean; isGoing: boolean } | null
  isWanted: boolean
}

export interface SeenSpace {
  phase: SpacePhase
  desired: SpaceSpec['desired']
  waitsFor: string | null
  failure: Failure | null
  app: { name: string; phase: WebAppPhase; failure: Failure | null }
  currentId: string | null
  lastId: string | null
  /** The deployment that is on its way; `endedRoles` are the processes of the present release that it has ended. */
  underway: { id: string; endedRoles: readonly string[] } | null
  processes: readonly SeenProcess[]
  cronJobs: readonly SeenCronJob[]
  /** The removal of what is left of older releases: whether it was done for the present one, and its task. */
  tidying: { isDone: boolean; task: { id: string; isOver: boolean; isGoing: boolean } | null }
}

export type SpaceAction =
  | { do: 'remove' | 'end' | 'start'; processId: string }
  | { do: 'make-cron-job'; name: string }
  | { do: 'tidy' }
  | { do: 'note-tidied' }
  | { do: 'stand'; phase: SpacePhase; waitsFor: string | null; failure: Failure | null }

/** A run, or one that is coming. */
const activePhases: ReadonlySet<ProcessPhase> = new Set([
  'pending',
  'starting',
  'running',
  'restarting',
  'stopping',
])
const isActive = ({ phase }: SeenProcess) => activePhases.has(phase)

/** What follows next of what is wanted and seen of a space; null when all is as it should be. Its end is its web app's. */
export function decide(seen: SeenSpace): SpaceAction | null {
  if (seen.desired !== 'delete') {
    const change = decideProcesses(seen) ?? decideCronJobs(seen) ?? decideTidying(seen)
    if (change !== null) return change
  }
  const { phase, waitsFor, failure } = standingOf(seen)
  const isSame =
    phase === seen.phase && waitsFor === seen.waitsFor && failure?.message === seen.failure?.message
  return isSame ? null : { do: 'stand', phase, waitsFor, failure }
}

function decideProcesses(seen: SeenSpace): SpaceAction | null {
  for (const process of seen.processes) {
    if (process.desired === 'delete' || process.deploymentId === seen.underway?.id) continue
    const action = judge(process, seen)
    if (action !== 'leave') return { do: action, processId: process.id }
  }
  return null
}

function judge(process: SeenProcess, seen: SeenSpace): 'leave' | 'remove' | 'end' | 'start' {
  const { kind, deploymentId, desired, phase } = process
  if (kind === 'task' || deploymentId !== seen.currentId)
    return isEvidence(process, seen) ? 'leave' : 'remove'
  if (seen.desired === 'stopped') return desired === 'run' ? 'end' : 'leave'
  if (desired === 'run') return 'leave'
  if (phase === 'stopping' || isEndedFor(process, seen)) return 'leave'
  // Where there may be only one, that of a release which failed ends first.
  const isElsewhere = seen.processes.some(
    (other) => other.kind === 'service' && other.role === process.role && other.deploymentId !== deploymentId,
  )
  return isElsewhere ? 'leave' : 'start'
}

/** What a deployment failed with is there to be read until the next one. */
const isEvidence = ({ kind, phase, deploymentId }: SeenProcess, { lastId, currentId }: SeenSpace) =>
  kind === 'task' && phase === 'failed' && deploymentId === lastId && lastId !== currentId

const isEndedFor = ({ role }: SeenProcess, { underway }: SeenSpace) =>
  underway?.endedRoles.includes(role) ?? false

function decideCronJobs({ cronJobs, desired, currentId }: SeenSpace): SpaceAction | null {
  const mayRun = desired === 'running' && currentId !== null
  for (const { name, task, isWanted } of cronJobs) {
    const isThere = isWanted && mayRun
    if (task === null) {
      if (isThere) return { do: 'make-cron-job', name }
    } else if (!task.isGoing && !(isThere && task.isAsWanted)) return { do: 'remove', processId: task.id }
  }
  return null
}

/** Not beside a deployment, whose release it would not know. */
function decideTidying({ tidying, currentId, underway, processes }: SeenSpace): SpaceAction | null {
  const { task, isDone } = tidying
  if (task !== null) {
    if (!task.isOver || task.isGoing) return null
    return isDone ? { do: 'remove', processId: task.id } : { do: 'note-tidied' }
  }
  if (isDone || currentId === null || underway !== null) return null
  const isOthers = processes.some(({ deploymentId }) => deploymentId !== currentId)
  return isOthers ? null : { do: 'tidy' }
}

type Standing = Omit<Extract<SpaceAction, { do: 'stand' }>, 'do'>
const standing = (phase: SpacePhase, waitsFor: string | null = null): Standing => ({
  phase,
  waitsFor,
  failure: null,
})

function standingOf(seen: SeenSpace): Standing {
  const { desired, app, currentId, processes } = seen
  if (desired === 'delete') return standing('deleting')
  const services = processes.filter(
    (process) => process.kind === 'service' && process.deploymentId === currentId && currentId !== null,
  )
  if (desired === 'stopped') {
    const left = services.find(isActive)
    return left === undefined ? standing('stopped') : standing('stopping', `service ${left.name} to end`)
  }
  if (currentId === null) return standingOfApp(app)
  const counted = services.filter((service) => !isEndedFor(service, seen))
  const failed = counted.find(({ phase }) => phase === 'failed')
  if (failed !== undefined)
    return {
      phase: 'failed',
      waitsFor: null,
      failure: {
        code: failed.failure?.code ?? 'command_failed',
        message: `service ${failed.name}: ${failed.failure?.message ?? 'it failed'}`,
        ...(failed.failure?.lastLines === undefined ? {} : { lastLines: failed.failure.lastLines }),
      },
    }
  const unready = counted.find(({ phase }) => phase !== 'running')
  if (unready === undefined) return standing('running')
  return standing('starting', unready.waitsFor ?? `service ${unready.name} to be ready`)
}

function standingOfApp({ name, phase, failure }: SeenSpace['app']): Standing {
  if (phase === 'provisioning') return standing('provisioning', `web app ${name} to be set up`)
  if (phase !== 'failed') return standing('running')
  const code = failure?.code ?? 'command_failed'
  const message = `web app ${name} was not set up: ${failure?.message ?? 'it failed'}`
  return { phase: 'failed', waitsFor: null, failure: { code, message } }
}
