import type { Environment, Failure, WarmPool } from '@hearth/contract'

/** A pool and its unclaimed members, as last seen. */
export interface PoolState {
  pool: WarmPool
  environments: readonly Environment[]
}

export type PoolVerdict =
  | { phase: 'waiting' }
  | { phase: 'ready' }
  /** `environment` is the member whose failure explains it, if any. */
  | { phase: 'failed'; failure: Failure | null; environment: Environment | null }

/** Whether a pool has what its declaration asks for, will get it, or has given up. */
export function judgePool({ pool, environments }: PoolState): PoolVerdict {
  if (pool.status.observedSpecVersion < pool.specVersion) return { phase: 'waiting' }
  switch (pool.status.phase) {
    case 'failed': {
      // A member that is retried, or was provisioning when the pool gave up, may still become ready.
      if (environments.some(isOnItsWay)) return { phase: 'waiting' }
      const environment = environments.findLast(({ status }) => status.failure !== null) ?? null
      return { phase: 'failed', failure: environment?.status.failure ?? pool.status.failure, environment }
    }
    case 'deleting':
      return { phase: 'failed', failure: pool.status.failure, environment: null }
    case 'disabled':
    case 'cleared':
    case 'ready':
      return { phase: 'ready' }
    case 'filling':
      return { phase: 'waiting' }
  }
}

function isOnItsWay({ spec, status }: Environment): boolean {
  return (status.phase === 'pending' || status.phase === 'provisioning') && spec.desiredPhase === 'running'
}

/** Keeps the newer of two views of one resource: events and reads may arrive in any order. */
export function isNewer(
  one: { specVersion: number; statusVersion: number },
  other: { specVersion: number; statusVersion: number } | undefined,
): boolean {
  if (other === undefined) return true
  return one.specVersion + one.statusVersion > other.specVersion + other.statusVersion
}
