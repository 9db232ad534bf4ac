import { reportConsumer, streams, subjects } from '@hearth/contract'
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

const minute = 60_000
const hour = 60 * minute
const mebibyte = 1024 * 1024

type Stream = Pick<StreamConfig, 'name' | 'subjects' | 'duplicate_window'> & Partial<StreamConfig>

const allStreams: readonly Stream[] = [
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
    duplicate_window: nanos(10 * minute),
    max_age: nanos(7 * 24 * hour),
    max_bytes: 256 * mebibyte,
  },
  {
    name: streams.log,
    subjects: [subjects.allLogs],
    duplicate_window: nanos(2 * minute),
    max_age: nanos(24 * hour),
    max_bytes: 1024 * mebibyte,
  },
  {
    name: streams.event,
    subjects: [subjects.allEvents],
    duplicate_window: nanos(hour),
    max_age: nanos(7 * 24 * hour),
    max_bytes: 256 * mebibyte,
  },
]

/**
 * Makes what is absent and brings the limits of what is there up to date; safe to repeat and to run twice at once.
 * Throws `unavailable`, saying what the server said, for example that its disk has no room for them.
 */
export async function ensureStreams(connection: Connection): Promise<void> {
  try {
    await ensureAll(connection)
  } catch (thrown) {
    throw new HearthError('unavailable', `NATS could not set up the streams: ${toError(thrown).message}`, {
      cause: thrown,
    })
  }
}

async function ensureAll(connection: Connection): Promise<void> {
  const manager = await connection.jetStreamManager()
  for (const stream of allStreams) await ensureStream(manager, stream, connection.replicas)
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

async function ensureStream(manager: JetStreamManager, stream: Stream, replicas: number): Promise<void> {
  const config = {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    ...stream,
  }
  if (await exists(manager, stream.name)) await manager.streams.update(stream.name, config)
  else await manager.streams.add({ ...config, num_replicas: replicas })
}

async function exists(manager: JetStreamManager, name: string): Promise<boolean> {
  try {
    await manager.streams.info(name)
    return true
  } catch (thrown) {
    if (isNotFound(thrown)) return false
    throw thrown
  }
}

export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof JetStreamApiError && thrown.apiError().code === 404
}
