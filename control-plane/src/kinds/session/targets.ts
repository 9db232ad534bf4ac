import type { ProcessPhase, ProcessRun, Service, SessionTarget, TargetState, Task } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

type Process = Task | Service

/** How long the errors of a server are passed over. */
export interface GracePeriod {
  seconds: number | null
  /** Since when the session lasts; a server that is younger has its grace from its own beginning on. */
  from: Date
}

/** A task is a job with the task's name. */
export function targetOfTask(task: Task): SessionTarget {
  const { name } = task.metadata
  return { name: `${name}:update`, type: 'job', resources: [name], state: stateOf(task, endedJob) }
}

/** A service is a server with the service's name: each of its ends is an error. */
export function targetOfService(service: Service, grace: GracePeriod, now: Date): SessionTarget {
  const { name } = service.metadata
  const state = stateOf(service, (run) => endedServer(service, run, graceNow(service, grace, now)))
  return { name: `${name}:serve`, type: 'server', resources: [name], state }
}

/** When an error of a service is not passed over any more; null without a grace period. */
export function graceEnd({ metadata }: Service, { seconds, from }: GracePeriod): Date | null {
  if (seconds === null) return null
  return new Date(Math.max(from.getTime(), Date.parse(metadata.createdAt)) + seconds * 1_000)
}

function graceNow(service: Service, grace: GracePeriod, now: Date): 'tolerated' | 'exceeded' | null {
  const end = graceEnd(service, grace)
  if (end === null) return null
  return now < end ? 'tolerated' : 'exceeded'
}

type Ended = (process: ProcessRun | null, phase: ProcessPhase, failure: string | null) => TargetState

function stateOf({ kind, spec, status }: Process, ended: Ended): TargetState {
  const { phase, run, waitsFor } = status
  const failure = status.failure?.message ?? null
  switch (phase) {
    case 'idle':
      // Between two runs of a schedule, the last one counts.
      return run === null || run.finishedAt === null ? { kind: 'none' } : ended(run, phase, failure)
    case 'pending':
      return { kind: 'waiting', ...waitOf(spec.dependsOn, waitsFor) }
    case 'starting':
    case 'running':
    case 'stopping':
      return run === null || run.finishedAt !== null
        ? { kind: 'waiting', reason: 'queued', message: null }
        : active(run, kind === 'Service' && phase === 'running')
    case 'restarting':
      // A task that is run once more has not ended; a service that is started again has.
      return kind === 'Task'
        ? { kind: 'waiting', reason: 'restart', message: errorOf(run, failure) }
        : ended(run, phase, failure)
    case 'stopped':
    case 'succeeded':
    case 'failed':
    case 'deleting':
      return ended(run, phase, failure)
    default:
      return assertNever(phase)
  }
}

const active = (run: ProcessRun, ready: boolean): TargetState => ({
  kind: 'active',
  startedAt: run.startedAt,
  ready,
  lastReadyAt: run.readyAt,
})

/** What it waits for is said in words; whether that is another process follows from the names in them. */
function waitOf(dependsOn: readonly string[], waitsFor: string | null) {
  if (waitsFor === null) return { reason: 'queued', message: null } as const
  const isNamed = dependsOn.some((name) => waitsFor.split(/[^a-z0-9-]+/).includes(name))
  return { reason: isNamed ? 'dependency' : 'machine', message: waitsFor } as const
}

const endedJob: Ended = (run, phase, failure) => {
  const isWell = phase === 'succeeded' || (phase === 'idle' && run?.exitCode === 0)
  return terminated(run, isWell ? null : errorOf(run, failure), null)
}

function endedServer(
  service: Service,
  run: ProcessRun | null,
  grace: 'tolerated' | 'exceeded' | null,
): TargetState {
  return terminated(run, errorOf(run, service.status.failure?.message ?? null), grace)
}

const terminated = (
  run: ProcessRun | null,
  error: string | null,
  grace: 'tolerated' | 'exceeded' | null,
): TargetState => ({
  kind: 'terminated',
  startedAt: run?.startedAt ?? null,
  finishedAt: run?.finishedAt ?? null,
  error,
  grace: error === null ? null : grace,
})

/** Why it has ended, in words; never empty. */
function errorOf(run: ProcessRun | null, failure: string | null): string {
  if (failure !== null && failure !== '') return failure
  if (run === null) return 'it did not start'
  switch (run.cause) {
    case 'exit':
      return `it ended with exit code ${run.exitCode ?? 'unknown'}`
    case 'signal':
      return `it was ended by ${run.signal ?? 'a signal'}`
    case 'deadline':
      return 'it took longer than it may'
    case 'memory':
      return 'it needed more memory than it may have'
    case 'not_ready':
      return 'it was not ready in time'
    case 'stopped':
      return 'it was stopped'
    case 'lost':
      return 'its machine went down under it'
    case 'refused':
      return 'it could not be started'
    case null:
      return 'it did not end by itself'
    default:
      return assertNever(run.cause)
  }
}
