import {
  type ObservedEvents,
  type ObserverStart,
  observerConsumer,
  streams,
  subjects,
} from '@hearth/contract'
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import type { Connection } from './connection.ts'
import { manage } from './manage.ts'
import { isNotFound } from './streams.ts'

/** Time limit in milliseconds, shorter than the time that a transaction may be idle. */
const patienceMilliseconds = 5_000
/**
 * Time after which an event that was not acknowledged is delivered again. An observer that takes longer reports
 * progress meanwhile.
 */
const acknowledgementMilliseconds = 10_000
/** Longer than any observer exists; removes consumers that were created and then not recorded. */
const unusedMilliseconds = 31 * 24 * 3_600_000

/**
 * Creates the consumer through which an observer reads its organization's events, from `start`, unless it exists. The
 * control plane creates it because whoever may create a consumer could also name any delivery subject.
 */
export async function ensureObserver(
  connection: Connection,
  observer: ObservedEvents,
  start: ObserverStart,
): Promise<void> {
  await manage(connection, patienceMilliseconds, async (manager) => {
    if ((await consumerOf(manager, observer.id)) === undefined)
      await manager.consumers.add(streams.event, consumerFor(observer, start))
  })
}

/**
 * After the stream was found to end at `end`: a consumer that has delivered beyond `end` is recreated to continue
 * from there, since it would skip the events that replace the lost ones. Safe to repeat.
 */
export async function rewindObserver(
  connection: Connection,
  observer: ObservedEvents,
  end: number,
): Promise<void> {
  await manage(connection, patienceMilliseconds, async (manager) => {
    const consumer = await consumerOf(manager, observer.id)
    if (consumer !== undefined && consumer.delivered.stream_seq <= end) return
    if (consumer !== undefined) await manager.consumers.delete(streams.event, consumer.name)
    await manager.consumers.add(streams.event, consumerFor(observer, end + 1))
  })
}

async function consumerOf(manager: JetStreamManager, id: string): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(streams.event, observerConsumer(id))
  } catch (thrown) {
    if (isNotFound(thrown)) return undefined
    throw thrown
  }
}

function consumerFor(observer: ObservedEvents, start: ObserverStart): Partial<ConsumerConfig> {
  return {
    durable_name: observerConsumer(observer.id),
    filter_subject: subjects.eventsOfOrganization(observer.organizationId),
    ...beginning(start),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(acknowledgementMilliseconds),
    max_deliver: -1,
    max_ack_pending: observer.unacknowledged,
    inactive_threshold: nanos(unusedMilliseconds),
  }
}

function beginning(start: ObserverStart): Partial<ConsumerConfig> {
  if (start === 'oldest') return { deliver_policy: DeliverPolicy.All }
  if (start === 'new') return { deliver_policy: DeliverPolicy.New }
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start }
}

/** Removes the observer's consumer: from then on its credentials reach nothing. Safe to repeat. */
export async function removeObserver(connection: Connection, id: string): Promise<void> {
  await manage(connection, patienceMilliseconds, async (manager) => {
    try {
      await manager.consumers.delete(streams.event, observerConsumer(id))
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown
    }
  })
}
