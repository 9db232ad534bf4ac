import type { Task } from '@hearth/contract'
import { exitStatusOf } from '../following/follow-process.ts'

/** How one task went. */
export interface TaskResult {
  name: string
  outcome: 'succeeded' | 'failed' | 'skipped'
  /** As a shell has it. */
  exitStatus: number
  seconds: number
  /** Why it failed or was skipped, in a sentence. */
  message: string | null
  output: string
}

export function resultOf(name: string, { status }: Pick<Task, 'status'>): TaskResult {
  const { run, phase, failure } = status
  const hasRun = run?.finishedAt != null
  const seconds = hasRun ? (Date.parse(run.finishedAt ?? '') - Date.parse(run.startedAt)) / 1000 : 0
  if (phase === 'succeeded')
    return { name, outcome: 'succeeded', exitStatus: 0, seconds, message: null, output: run?.output ?? '' }
  const message = failure?.message ?? `it is ${phase}`
  if (!hasRun) return { name, outcome: 'skipped', exitStatus: 1, seconds: 0, message, output: '' }
  return {
    name,
    outcome: 'failed',
    exitStatus: exitStatusOf(run) || 1,
    seconds,
    message,
    output: run.output,
  }
}

/** The exit status of the first task that failed, in the order in which they ended; 0 where none did. */
export function exitStatusOfAll(results: readonly TaskResult[]): number {
  const failed =
    results.find(({ outcome }) => outcome === 'failed') ??
    results.find(({ outcome }) => outcome === 'skipped')
  return failed?.exitStatus ?? 0
}
