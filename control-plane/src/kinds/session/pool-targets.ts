import type { Prebuild, SessionTarget, TargetState, WarmPool } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'

/** A pool is a job that ends when it is full. Times it has none of are those of the sight before, or of this one. */
export function targetOfPool(pool: WarmPool, before: TargetState | undefined, now: Date): SessionTarget {
  const { name } = pool.metadata
  return { name: `${name}:update`, type: 'job', resources: [name], state: poolState(pool, before, now) }
}

function poolState({ status }: WarmPool, before: TargetState | undefined, now: Date): TargetState {
  const time = now.toISOString()
  const startedAt = (before !== undefined && 'startedAt' in before ? before.startedAt : null) ?? time
  const finishedAt = (before?.kind === 'terminated' ? before.finishedAt : null) ?? time
  switch (status.phase) {
    case 'filling':
      return { kind: 'active', startedAt, ready: false, lastReadyAt: null }
    case 'ready':
      return { kind: 'terminated', startedAt, finishedAt, error: null, grace: null }
    case 'failed': {
      const error = status.failure?.message ?? 'its environments keep failing'
      return { kind: 'terminated', startedAt, finishedAt, error, grace: null }
    }
    case 'cleared':
    case 'disabled':
      return { kind: 'disabled' }
    case 'deleting':
      return { kind: 'none' }
    default:
      return assertNever(status.phase)
  }
}

/** A prebuild is a job of the pool, or of the project, that is made from it. */
export function targetOfPrebuild(prebuild: Prebuild, resources: readonly string[]): SessionTarget {
  return {
    name: `${prebuild.metadata.name}:update`,
    type: 'job',
    resources: [...resources],
    state: prebuildState(prebuild),
  }
}

function prebuildState({ status }: Prebuild): TargetState {
  const { phase, startedAt, completedAt: finishedAt, failure } = status
  const end = (error: string | null): TargetState => ({
    kind: 'terminated',
    startedAt,
    finishedAt,
    error,
    grace: null,
  })
  switch (phase) {
    case 'pending':
      return { kind: 'waiting', reason: 'queued', message: null }
    case 'starting':
    case 'running':
    case 'stopping':
    case 'snapshotting':
    case 'cancelling':
      return startedAt === null
        ? { kind: 'waiting', reason: 'queued', message: null }
        : { kind: 'active', startedAt, ready: false, lastReadyAt: null }
    case 'completed':
      return end(null)
    case 'failed':
      return end(failure?.message ?? 'it failed')
    case 'cancelled':
      return end('it was cancelled')
    case 'deleting':
    case 'deleted':
      return { kind: 'none' }
    default:
      return assertNever(phase)
  }
}
