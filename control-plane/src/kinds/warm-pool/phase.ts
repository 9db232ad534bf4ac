import type { WarmPoolPhase } from '@hearth/contract'

/** What a pool's phase is decided from. */
export interface PoolState {
  enabled: boolean
  cleared: boolean
  deleting: boolean
  /** How many members it wants now. */
  wanted: number
  /** Those that a claim could take, at rest or not, and that were made from what the pool now says. */
  present: number
  /** Whether boots keep failing, so that no more members are made. */
  stopped: boolean
}

export function poolPhase(state: PoolState): WarmPoolPhase {
  if (state.deleting) return 'deleting'
  if (!state.enabled) return 'disabled'
  if (state.cleared) return 'cleared'
  if (state.present >= state.wanted) return 'ready'
  return state.stopped ? 'failed' : 'filling'
}
