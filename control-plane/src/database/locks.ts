/**
 * PostgreSQL's advisory locks, by which replicas agree who does what; each number stands for one thing in every version.
 * All are held to the end of a transaction, but for that of the queue's preparation.
 */
export const advisoryLocks = {
  /** Gives committed events their positions. */
  eventPositions: 7_201,
  /** Makes the first organization. */
  bootstrap: 7_202,
  /** With an organization's hash: promises room on its runners. */
  placement: 7_203,
  /** Held alone by a replica of before that publishes; shared by those that publish orders or events. */
  publisher: 7_204,
  queuePreparation: 7_205,
  /** Publishes orders. */
  orders: 7_206,
  /** Publishes events. */
  events: 7_207,
  /** Tells NATS which runners are deleted. */
  revocations: 7_208,
  /** With the hash of whose quota it is and of what: counts what there is and adds to it. */
  quotas: 7_209,
} as const
