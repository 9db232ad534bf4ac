import { runnerLeaseSeconds } from '@hearth/contract'

/** Intervals and time limits, in milliseconds. They suit real hosts and networks; only tests shorten them. */
export interface Timings {
  /** Interval between two heartbeats. */
  heartbeat: number
  /**
   * Duration of the lease: an agent without contact for this long starts nothing new until the control plane has
   * answered it.
   */
  lease: number
  /**
   * Interval between two synchronisations that nothing requested; varied by a fifth, so that agents do not
   * synchronise at the same time.
   */
  synchronisation: number
  /** Maximum random delay of the synchronisation after a reconnection, so that not all agents synchronise at once. */
  synchronisationSpread: number
  /** Time limit of one synchronisation request. */
  synchronisationReply: number
  /** Grace period before something unwanted is removed: an order for it may be on its way. */
  removalGrace: number
  /** How long a report of progress waits for another that replaces it; results are reported at once. */
  progressReport: number
  /** Maximum delay of retries, which grows with each failure of the host or the network. */
  retryMost: number
  /** Interval between two looks at the paused machines. */
  pausedMachines: number
  /** The longest pause between two looks at whether machines are used, of which somebody wants to know it. */
  activity: number
  /** Report a failure that the host cannot store, because its disk is full, after this delay. */
  unkeptFailure: number
}

/** A longer stall of the event loop is counted and logged. */
export const stallMilliseconds = 50

export const defaultTimings: Timings = {
  heartbeat: 5_000,
  lease: runnerLeaseSeconds * 1000,
  // A control plane that was away hears of every machine again within half a minute.
  synchronisation: 20_000,
  synchronisationSpread: 2_000,
  synchronisationReply: 15_000,
  removalGrace: 30_000,
  progressReport: 1_000,
  retryMost: 30_000,
  pausedMachines: 10_000,
  activity: 10_000,
  unkeptFailure: 60_000,
}
