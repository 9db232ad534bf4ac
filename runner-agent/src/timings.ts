import { runnerLeaseSeconds } from '@hearth/contract'

/** How long what is waited for, in milliseconds. Fit for hosts and networks as they are; only tests shorten them. */
export interface Timings {
  /** Between two heartbeats. */
  heartbeat: number
  /** An agent that reached nobody for this long starts nothing new until the control plane has answered it. */
  lease: number
  /** Between two synchronisations when nothing asks for one; a fifth more or less, so that agents keep apart. */
  synchronisation: number
  /** After a reconnection agents synchronise some time within this, so that not all do at once. */
  synchronisationSpread: number
  /** How long the control plane may take to answer one. */
  synchronisationReply: number
  /** An order for a machine that looks unwanted may be on its way. */
  removalGrace: number
  /** Retries of what the host or the network refused wait longer and longer, up to this. */
  retryMost: number
  /** Between two looks at the machines whose guest stands still. */
  pausedMachines: number
  /** A failure that the host cannot keep, since its disk is full, is told all the same after so long. */
  unkeptFailure: number
}

/** Whatever keeps the event loop for longer is counted and logged. */
export const stallMilliseconds = 50

export const defaultTimings: Timings = {
  heartbeat: 5_000,
  lease: runnerLeaseSeconds * 1000,
  // A control plane that was away has heard of every machine again within half a minute.
  synchronisation: 20_000,
  synchronisationSpread: 2_000,
  synchronisationReply: 15_000,
  removalGrace: 30_000,
  retryMost: 30_000,
  pausedMachines: 10_000,
  unkeptFailure: 60_000,
}
