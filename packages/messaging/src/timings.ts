/** How long what is waited for, in milliseconds. Fit for networks as they are; only tests shorten them. */
export interface MessagingTimings {
  /** Whoever takes a report says within this time that it still works on it; else another gets it. */
  reportTaken: number
  /** The same for an order. */
  orderTaken: number
  /** One try of a publish waits this long for JetStream to say that it is stored. */
  stored: number
  /** Retries wait longer and longer, up to this. */
  retryMost: number
  /** Between two tries to connect again, at least; as much as three times that is added by chance. */
  reconnect: number
  /** A pull from which nothing is heard for twice this long is begun anew. */
  pullHeartbeat: number
}

export const defaultTimings: MessagingTimings = {
  // Short, so that what a killed replica held is soon another's.
  reportTaken: 10_000,
  orderTaken: 30_000,
  stored: 5_000,
  retryMost: 5_000,
  reconnect: 250,
  pullHeartbeat: 2_000,
}
