import { isDeepStrictEqual } from 'node:util'
import type { Environment, Failure, ProjectSpec, WarmPool } from '@hearth/contract'

/** A pool and its unclaimed machines, as last seen. */
export interface PoolState {
  pool: WarmPool
  machines: readonly Environment[]
}

/** Whether a machine was made from what project and pool say now. */
export function isCurrent({ spec: { plan } }: Environment, project: ProjectSpec, pool: WarmPool): boolean {
  return isDeepStrictEqual(
    [plan.repositories, plan.variables, plan.secretNames, plan.projectSetup, plan.warmPoolSetup],
    [project.repositories, project.variables, project.secretNames, project.setup, pool.spec.setup],
  )
}

export type PoolVerdict =
  | { phase: 'waiting' }
  | { phase: 'ready' }
  /** `machine` is the one whose failure tells why, where there is one. */
  | { phase: 'failed'; failure: Failure | null; machine: Environment | null }

/**
 * Whether a pool has what its declaration asks for, will get it, or has given up. A pool that has not noticed a change
 * of its project yet still says `ready`, so its machines are held against the project as it was applied.
 */
export function judgePool({ pool, machines }: PoolState, project: ProjectSpec): PoolVerdict {
  if (pool.status.observedSpecVersion < pool.specVersion) return { phase: 'waiting' }
  switch (pool.status.phase) {
    case 'failed': {
      // One that is tried again, or was on its way when the pool gave up, may still turn out well.
      if (machines.some(isOnItsWay)) return { phase: 'waiting' }
      const machine = machines.findLast(({ status }) => status.failure !== null) ?? null
      return { phase: 'failed', failure: machine?.status.failure ?? pool.status.failure, machine }
    }
    case 'deleting':
      return { phase: 'failed', failure: pool.status.failure, machine: null }
    case 'disabled':
      return { phase: 'ready' }
    case 'ready': {
      const ready = machines.filter(
        (machine) => machine.status.phase === 'running' && isCurrent(machine, project, pool),
      )
      return { phase: ready.length >= pool.spec.min ? 'ready' : 'waiting' }
    }
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
