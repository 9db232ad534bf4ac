import type { WarmPoolPhase } from '@hearth/contract'

/** What decides a pool's phase. */
export interface PoolState {
  enabled: boolean
  cleared: boolean
  deleting: boolean
  min: number
  /** Members that a claim could take and that were made from what the pool now says. */
  readyAndCurrent: number
  /** Its boots keep failing: no more are made. */
  stopped: boolean
}

export function poolPhase(state: PoolState): WarmPoolPhase {
  if (state.deleting) return 'deleting'
  if (!state.enabled) return 'disabled'
  if (state.cleared) return 'cleared'
  if (state.readyAndCurrent >= state.min) return 'ready'
  return state.stopped ? 'failed' : 'filling'
}
