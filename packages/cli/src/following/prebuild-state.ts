import { type Environment, isPrebuildEnded, type Prebuild, type Snapshot, stepKey } from '@hearth/contract'
import { formatDuration } from '../output/duration.ts'
import { changeLines } from '../output/environment-lines.ts'
import { formatSize } from '../output/size.ts'

/** A prebuild with the machine that it is built on and the snapshot of its disk, as last seen. */
export interface PrebuildState {
  prebuild: Prebuild
  environment: Environment | null
  snapshot: Snapshot | null
}

export function hasPrebuildEnded({ prebuild }: Pick<PrebuildState, 'prebuild'>): boolean {
  const { phase } = prebuild.status
  return isPrebuildEnded(phase) || phase === 'deleting' || phase === 'deleted'
}

/** What is done for it now, with the time of the step or the bytes of the snapshot. */
export function prebuildStage({ prebuild, environment, snapshot }: PrebuildState, now: Date): string {
  const { phase } = prebuild.status
  if (phase === 'running') {
    const step = environment?.status.steps.find((one) => one.phase === 'running')
    if (step === undefined) return taskStage(prebuild)
    const since = step.startedAt === null ? null : now.getTime() - Date.parse(step.startedAt)
    return `${phase}: ${stepKey(step)}${since === null ? '' : `, ${formatDuration(Math.max(0, since))}`}`
  }
  if (phase === 'starting') {
    const placement = environment?.status.placement ?? null
    return placement === null ? phase : `${phase}: ${placement}`
  }
  if (phase !== 'snapshotting') return phase
  const progress = snapshot?.status.holders[0]?.progress ?? null
  if (progress === null) return phase
  return `${phase}: ${formatSize(progress.doneBytes)} of ${formatSize(progress.totalBytes)} searched`
}

function taskStage({ status }: Prebuild): string {
  const names = status.tasks
    .filter((one) => one.kind === 'task' && isUnderway.has(one.phase))
    .map(({ name }) => name)
  return names.length === 0 ? status.phase : `${status.phase}: ${names.join(', ')}`
}

const isUnderway: ReadonlySet<string> = new Set(['starting', 'running', 'restarting', 'stopping'])

/** What has changed since it was last seen, one plain line each: for logs and pipes. */
export function prebuildChanges(before: PrebuildState | null, next: PrebuildState): string[] {
  const { metadata, status } = next.prebuild
  const moved = before?.prebuild.status.phase !== status.phase
  const machine =
    next.environment === null || hasPrebuildEnded(next)
      ? []
      : changeLines(before?.environment ?? undefined, next.environment)
  return [...machine, ...(moved ? [`${metadata.name}: ${status.phase}`] : [])]
}
