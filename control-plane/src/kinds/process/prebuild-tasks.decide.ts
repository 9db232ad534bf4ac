import type { Failure, ProcessPhase } from '@hearth/contract'

/** How far the tasks are that prebuilds run, with what they depend on. */
export type PrebuildTasks =
  | { state: 'unbegun' }
  | { state: 'working'; name: string }
  | { state: 'failed'; failure: Failure }
  /** All tasks are done, and services that they needed still run. */
  | { state: 'serving'; name: string }
  | { state: 'done' }

interface DueTask {
  name: string
  spec: { kind: 'task' | 'service'; secrets: readonly string[]; allowFailure?: boolean | undefined }
}
interface SeenTask {
  name: string
  kind: 'task' | 'service'
  phase: ProcessPhase
  status: { failure: Failure | null }
  spec: { kind: 'task' | 'service'; allowFailure?: boolean | undefined }
}

/** Judges those that are due from what is there of them. Pure. */
export function judgePrebuildTasks(due: readonly DueTask[], rows: readonly SeenTask[]): PrebuildTasks {
  const secret = due.find(({ spec }) => spec.secrets.length > 0)
  if (secret !== undefined) return { state: 'failed', failure: toldNone(secret) }
  const seen = due.map(({ name }) => rows.find((row) => row.name === name))
  const there = seen.filter((row) => row !== undefined)
  if (there.length < due.length) return { state: 'unbegun' }
  const tasks = there.filter(({ kind }) => kind === 'task')
  const failed = tasks.find((task) => hasFailed(task) && !mayFail(task))
  if (failed !== undefined) return { state: 'failed', failure: failureOf(failed, there) }
  const open = tasks.find((task) => task.phase !== 'succeeded' && !hasFailed(task))
  if (open !== undefined) return { state: 'working', name: open.name }
  const serving = there.find(({ kind, phase }) => kind === 'service' && !isOver.has(phase))
  return serving === undefined ? { state: 'done' } : { state: 'serving', name: serving.name }
}

const hasFailed = ({ phase }: SeenTask) => phase === 'failed' || phase === 'stopped' || phase === 'deleting'
const mayFail = ({ spec }: SeenTask) => spec.allowFailure === true

/** What is said of the tasks that failed without failing the prebuild. */
export function allowedFailures(rows: readonly SeenTask[]): string[] {
  return rows
    .filter((row) => row.kind === 'task' && mayFail(row) && hasFailed(row))
    .map((row) => `${failureOf(row, rows).message} (it allows failure)`)
}

const isOver: ReadonlySet<ProcessPhase> = new Set(['idle', 'stopped', 'failed', 'succeeded'])

/** Where it failed only since something that it depends on did, that is the cause. */
function failureOf(task: SeenTask, all: readonly SeenTask[]): Failure {
  const cause =
    task.status.failure?.code === 'cancelled'
      ? (all.find(({ phase, status }) => phase === 'failed' && status.failure?.code !== 'cancelled') ?? task)
      : task
  const { failure } = cause.status
  const why = failure?.message ?? `the ${cause.kind} is ${cause.phase}`
  return {
    code: failure?.code ?? 'cancelled',
    message: `${cause.kind} ${cause.name}, which is part of the prebuild: ${why}`,
    ...(failure?.lastLines === undefined ? {} : { lastLines: failure.lastLines }),
  }
}

const toldNone = ({ name, spec }: DueTask): Failure => ({
  code: 'command_failed',
  message: `${spec.kind} ${name} names the secrets ${spec.secrets.join(', ')}: it runs while a prebuild is made, which is told none`,
})
