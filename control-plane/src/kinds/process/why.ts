import type { Evidence, Explanation, Service, Task } from '@hearth/contract'
import { assertNever, spokenTime } from '@hearth/foundation'
import { endInWords } from './work/report.ts'

export interface ProcessSight {
  process: Task | Service
  /** The name of its environment, and of the runner of that. */
  environment: string
  runner: string | null
  /** Repositories whose files declare the same name, which is passed over. */
  passedOver: readonly string[]
  /** The prebuild in which it ran; null for another snapshot, or none. */
  ranIn: string | null
}

type Reasons = Pick<Explanation, 'sentence' | 'evidence' | 'next'>

/** Why a task or a service is in the phase it is in. Pure. */
export function explain({ process, environment, runner, passedOver, ranIn }: ProcessSight): Reasons {
  const { spec, status, metadata } = process
  const { run, failure } = status
  const evidence = [
    ...(run === null ? [] : [{ what: `run ${run.number} began`, at: run.startedAt }]),
    ...(run?.readyAt == null ? [] : [{ what: `run ${run.number} was ready`, at: run.readyAt }]),
    ...(run?.finishedAt == null
      ? []
      : [{ what: `run ${run.number} ${endInWords(run)}`, at: run.finishedAt }]),
    ...originEvidence(spec, passedOver),
  ]
  const where = `in environment ${environment}`
  const start = `start it with \`hearth start ${environment}/${metadata.name}\``
  const due =
    'nextRunAt' in status && status.nextRunAt !== null && spec.desired === 'run'
      ? `its schedule is due next at ${spokenTime(status.nextRunAt)}`
      : null
  switch (status.phase) {
    case 'idle':
      return { sentence: `it has not been started ${where}`, evidence, next: due ?? start }
    case 'pending':
      return {
        sentence: `it waits for ${status.waitsFor ?? 'its turn'}`,
        evidence,
        next: 'then it starts by itself',
      }
    case 'starting':
      return {
        sentence: `runner ${runner} is starting it ${where}${run?.finishedAt === null ? ', and it is not ready yet' : ''}`,
        evidence,
        next:
          status.deadline === null ? null : `it fails unless that is done by ${spokenTime(status.deadline)}`,
      }
    case 'running':
      return { sentence: `it runs ${where}`, evidence, next: due }
    case 'restarting':
      return {
        sentence: `run ${run?.number} ${endInWords(run)}, and it is begun again by its restart policy`,
        evidence,
        next: `after ${spec.restart.limit} such restarts it fails`,
      }
    case 'stopping':
      return {
        sentence: `it was asked to end with ${spec.stopSignal}`,
        evidence,
        next: `what is left of it after ${spec.graceSeconds} s is killed`,
      }
    case 'stopped':
      return {
        sentence: run?.exitCode === 0 ? 'it ended by itself' : 'it was stopped',
        evidence,
        next: start,
      }
    case 'succeeded':
      return {
        sentence: run === null ? ranBefore(ranIn) : `run ${run.number} ended with exit code 0`,
        evidence,
        next: due ?? (run === null ? `${start} to run it once more` : null),
      }
    case 'failed':
      return { sentence: failure?.message ?? 'it failed', evidence, next: due ?? start }
    case 'deleting':
      return { sentence: `it is being deleted; runner ${runner} ends it first`, evidence, next: null }
    default:
      return assertNever(status.phase)
  }
}

const ranBefore = (ranIn: string | null) =>
  ranIn === null
    ? 'it had run in the snapshot that its environment was started from'
    : `it ran while prebuild ${ranIn} was made, from which its environment was started`

/** Where it is declared, and what was passed over for that. */
function originEvidence(
  { isDeclared, repository = null }: ProcessSight['process']['spec'],
  passedOver: readonly string[],
): Evidence[] {
  if (!isDeclared) return []
  const file = (name: string) => `hearth.yaml of repository ${name}`
  const origin = repository === null ? 'its project' : file(repository)
  return [
    ...(repository === null ? [] : [{ what: `declared by ${origin}`, at: null }]),
    ...passedOver.map((name) => ({
      what: `${file(name)} declares the same name: ${origin} comes before it`,
      at: null,
    })),
  ]
}
