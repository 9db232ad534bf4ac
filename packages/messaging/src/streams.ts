import { isDeepStrictEqual } from 'node:util'
import { mostMessageBytes, reportConsumer, streams, subjects } from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import type { Connection } from './connection.ts'
import { manage } from './manage.ts'

const minute = 60_000
const hour = 60 * minute
const mebibyte = 1024 * 1024
/**
 * The shortest deduplication window that NATS accepts: a runner chooses its message ids and must not have another
 * runner's message discarded as a duplicate. Agents use random ids; older agents did not.
 */
const noWindow = 100
/** NATS includes a message's headers in its size. */
const headerBytes = 4 * 1024

type Stream = Pick<StreamConfig, 'name' | 'subjects' | 'duplicate_window'> & Partial<StreamConfig>

const streamsFor = ({ events }: Connection): readonly Stream[] => [
  // The newest order of each resource, kept until it is removed: an agent that was away receives only that one.
  {
    name: streams.work,
    subjects: [subjects.allWork],
    duplicate_window: nanos(2 * minute),
    max_msgs_per_subject: 1,
  },
  {
    name: streams.report,
    subjects: [subjects.allReports],
    duplicate_window: nanos(noWindow),
    // A later report makes the earlier ones of a resource unnecessary; a few of them are kept.
    max_msgs_per_subject: 64,
    max_msg_size: mostMessageBytes.report + headerBytes,
    max_age: nanos(7 * 24 * hour),
    max_bytes: 256 * mebibyte,
  },
  {
    name: streams.log,
    subjects: [subjects.allLogs],
    duplicate_window: nanos(noWindow),
    max_msgs_per_subject: 10_000,
    max_msg_size: mostMessageBytes.log + headerBytes,
    max_age: nanos(24 * hour),
    max_bytes: 1024 * mebibyte,
  },
  {
    name: streams.event,
    subjects: [subjects.allEvents],
    duplicate_window: nanos(Math.min(hour, events.keepMilliseconds)),
    max_age: nanos(events.keepMilliseconds),
    max_msgs: events.keepCount,
    max_bytes: 1024 * mebibyte,
  },
]

/** A cluster that has just started or has lost a server elects its leaders within seconds. */
const patienceMilliseconds = 30_000

/**
 * Creates missing streams and updates existing ones, including their replicas; safe to repeat and to run twice at
 * once. Throws `unavailable` with the server's message, for example that its disk has no room. A stream that cannot
 * get its replicas at the moment, because a server is down, stays as it is and the problem is reported.
 */
export async function ensureStreams(connection: Connection): Promise<void> {
  try {
    for (const stream of streamsFor(connection)) await ensureStream(connection, stream)
    await manage(connection, patienceMilliseconds, ensureReportConsumer)
  } catch (thrown) {
    throw new HearthError('unavailable', `NATS could not set up the streams: ${toError(thrown).message}`, {
      cause: thrown,
    })
  }
}

/** Consumers have as many replicas as their stream. */
async function ensureReportConsumer(manager: JetStreamManager): Promise<void> {
  await manager.consumers.add(streams.report, {
    durable_name: reportConsumer,
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    // Short, so that reports held by a killed control plane are soon given to another; a slow handler reports
    // progress meanwhile.
    ack_wait: nanos(10_000),
    max_deliver: -1,
    max_ack_pending: 10_000,
  })
}

async function ensureStream(connection: Connection, stream: Stream): Promise<void> {
  const { replicas } = connection
  const config = {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    ...stream,
  }
  const copies = await manage(connection, patienceMilliseconds, async (manager) => {
    const known = await configOf(manager, stream.name)
    if (known === undefined) await manager.streams.add({ ...config, num_replicas: replicas ?? 1 })
    // Each update makes the server rewrite the stream's description: if it is killed at that moment, it loses the
    // stream.
    else if (!agrees(known, config)) await manager.streams.update(stream.name, config)
    return known?.num_replicas ?? replicas ?? 1
  })
  if (replicas === undefined || replicas === copies) return
  try {
    await manage(connection, patienceMilliseconds, (manager) =>
      manager.streams.update(stream.name, { num_replicas: replicas }),
    )
  } catch (thrown) {
    const why = toError(thrown).message
    connection.onProblem(stream.name, new Error(`has ${copies} copies and cannot have ${replicas}: ${why}`))
  }
}

async function configOf(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config
  } catch (thrown) {
    if (isNotFound(thrown)) return undefined
    throw thrown
  }
}

function agrees(known: StreamConfig, wanted: Stream): boolean {
  const keys = Object.keys(wanted) as (keyof StreamConfig)[]
  return keys.every((key) => isDeepStrictEqual(known[key], wanted[key]))
}

export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof JetStreamApiError && thrown.apiError().code === 404
}
