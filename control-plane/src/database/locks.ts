/**
 * PostgreSQL advisory locks between replicas; a number keeps its meaning in every version. All are held to the end of a
 * transaction, except the one for preparing the queue.
 */
export const advisoryLocks = {
  /** Numbers committed events. */
  eventPositions: 7_201,
  /** Creates the first organization. */
  bootstrap: 7_202,
  /** With the organization's hash: reserves capacity on its runners. */
  placement: 7_203,
  /** Held exclusively by a publishing replica of an older version; shared by those that publish orders or events. */
  publisher: 7_204,
  queuePreparation: 7_205,
  /** Publishes orders. */
  orders: 7_206,
  /** Publishes events. */
  events: 7_207,
  /** Tells NATS which runners are deleted. */
  revocations: 7_208,
  /** With the hash of the quota and its holder: counts usage and adds to it. */
  quotas: 7_209,
  /** Makes the authority that signs the certificates for HTTPS. */
  tlsAuthority: 7_210,
  /** With the hash of organization and name: finds or makes the project that is kept for some repositories. */
  keptProjects: 7_211,
  /** With the hash of the organization: names computers, and makes their classes. */
  computers: 7_212,
  /** With the hash of the organization: counts the bytes of its artifacts, and adds one. */
  artifacts: 7_213,
  /** Gives a custom domain to a route. */
  routeDomains: 7_214,
  /** With the hash of the organization: makes a token of a name that no other has. */
  tokenNames: 7_240,
} as const
