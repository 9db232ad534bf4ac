/**
 * Seconds in the product are fractions of a second here, so that a run sees many leases, grace periods and retries
 * end.
 */
export const controlPlaneTimings = {
  runnerLease: 3_000,
  queuePoll: 250,
  abandonedJob: 2_000,
  abandonedJobLook: 300,
  publisherRest: 250,
  placementRest: 500,
  poolRest: 700,
  quotaRest: 500,
  everyMinute: 2_000,
  eventHeartbeat: 2_000,
  observerStall: 5_000,
  bootRetry: 200,
  hostProbe: 500,
}

export const agentTimings = {
  heartbeat: 300,
  lease: 3_000,
  synchronisation: 800,
  synchronisationSpread: 100,
  synchronisationReply: 1_500,
  removalGrace: 500,
  retryMost: 700,
  pausedMachines: 1_000,
  activity: 500,
  unkeptFailure: 1_000,
  progressReport: 100,
}

export const messagingTimings = {
  reportTaken: 2_500,
  orderTaken: 2_500,
  stored: 1_000,
  retryMost: 400,
  reconnect: 50,
  pullHeartbeat: 500,
}
