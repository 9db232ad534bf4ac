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
 * The shortest that NATS takes: a runner chooses the ids of its messages, and one that chooses another's must not have
 * that one's message taken for a repetition. Agents' ids are by chance; those of older agents are not.
 */
const noWindow = 100
/** NATS counts a message's headers into its size. */
const headerBytes = 4 * 1024

type Stream = Pick<StreamConfig, 'name' | 'subjects' | 'duplicate_window'> & Partial<StreamConfig>

const streamsFor = ({ events }: Connection): readonly Stream[] => [
  // The newest order of each environment, kept until it is purged: an agent that was away gets that one only.
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
    // A later report of a machine replaces an earlier one.
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

/** A cluster that has just been started, or has lost a server, chooses its leaders in seconds. */
const patienceMilliseconds = 30_000

/**
 * Makes what is absent and brings what is there up to date, its copies too; safe to repeat and to run twice at once.
 * Throws `unavailable`, saying what the server said, for example that its disk has no room for them. A stream that
 * cannot have its copies at the moment, since a server is down, stays as it is and the problem is told.
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

/** The consumers' copies follow those of their stream. */
async function ensureReportConsumer(manager: JetStreamManager): Promise<void> {
  await manager.consumers.add(streams.report, {
    durable_name: reportConsumer,
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    // Short, so that what a killed replica held is soon another's; whoever still works says so in between.
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
    // Each update has the server write the stream's description anew: killed at that moment, it forgets the stream.
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
