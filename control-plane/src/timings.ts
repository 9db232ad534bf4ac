import { runnerLeaseSeconds } from '@hearth/contract'

/** Intervals and timeouts in milliseconds. Only tests shorten them. */
export interface Timings {
  /** A runner that sent no heartbeat for this long is offline. */
  runnerLease: number
  /** Poll interval, for when a NOTIFY is lost. */
  queuePoll: number
  /** Longer than any reconcile takes. One that takes longer still is safe to run twice: it holds its row's lock. */
  abandonedJob: number
  /** Poll interval for abandoned jobs. */
  abandonedJobLook: number
  /** Poll interval of the publisher, for when a NOTIFY is lost. */
  publisherRest: number
  /** Poll interval of environments that wait for capacity, for when no event announces new capacity. */
  placementRest: number
  /** Poll interval of a pool, for when a wake is lost. */
  poolRest: number
  /** The same for a pool that a quota keeps from filling. */
  quotaRest: number
  /** Poll interval of an open session that follows what is not its caller's, for when nothing wakes it. */
  sessionRest: number
  /** Period of what is done each minute: what is due, kept, collected and forgotten. */
  everyMinute: number
  /** How often a stream of events says that it is still there. Proxies close what is silent for a minute. */
  eventHeartbeat: number
  /** How long an observer's send buffer may stay full before the observer is told to reconnect. */
  observerStall: number
  /** Pause after the first failed boot of a configuration; each further one doubles it, up to five minutes. */
  bootRetry: number
  /** Pause before an environment is tried on a degraded host; each failed probe doubles it, up to half an hour. */
  hostProbe: number
}

/** Blocking the event loop for longer than this is counted and logged. */
export const stallMilliseconds = 50

export const defaultTimings: Timings = {
  runnerLease: runnerLeaseSeconds * 1000,
  queuePoll: 1_000,
  abandonedJob: 10_000,
  abandonedJobLook: 5_000,
  publisherRest: 1_000,
  placementRest: 30_000,
  poolRest: 30_000,
  quotaRest: 5_000,
  sessionRest: 5_000,
  everyMinute: 60_000,
  eventHeartbeat: 15_000,
  observerStall: 30_000,
  bootRetry: 10_000,
  hostProbe: 60_000,
}
