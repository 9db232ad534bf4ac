/** Time limits and delays, in milliseconds. They suit real networks; only tests shorten them. */
export interface MessagingTimings {
  /** Time after which an unacknowledged report without reported progress is given to another consumer. */
  reportTaken: number
  /** The same time for an order. */
  orderTaken: number
  /** Time limit of one publish attempt for JetStream's acknowledgement. */
  stored: number
  /** Maximum delay of retries. */
  retryMost: number
  /** Minimum delay between two attempts to reconnect; a random delay of up to three times as much is added. */
  reconnect: number
  /** A pull without a heartbeat for twice this time is restarted. */
  pullHeartbeat: number
  /** Time in which an agent takes a call. NATS does not say across accounts that nobody listens. */
  callTaken: number
  /** Interval at which an agent says that it works on a call. */
  callAlive: number
  /** An agent that says nothing for so long has died, or is cut off. */
  callSilence: number
}

export const defaultTimings: MessagingTimings = {
  // Short, so that what a killed control plane held is soon given to another.
  reportTaken: 10_000,
  orderTaken: 30_000,
  stored: 5_000,
  retryMost: 5_000,
  reconnect: 250,
  pullHeartbeat: 2_000,
  callTaken: 5_000,
  callAlive: 5_000,
  callSilence: 20_000,
}
