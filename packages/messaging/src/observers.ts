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

/** Within the time that a transaction may rest. */
const patienceMilliseconds = 5_000
/** Then it comes again, as after a cut. An observer that takes longer says in between that it works. */
const acknowledgementMilliseconds = 10_000
/** Longer than any observer is kept; for those that were made and then not written down. */
const unusedMilliseconds = 31 * 24 * 3_600_000

/**
 * The consumer through which an observer reads its organization's events, from `start` if it is not there yet. It is
 * made here because whoever may make one may also name, in it, any subject as the one that is delivered to.
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
 * After the stream was found to end at `end`: one that had been given more than that is made anew to read on from there,
 * since it would pass over what takes the place of what is gone. Safe to repeat.
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

/** From then on the observer's credentials reach nothing. Safe to repeat. */
export async function removeObserver(connection: Connection, id: string): Promise<void> {
  await manage(connection, patienceMilliseconds, async (manager) => {
    try {
      await manager.consumers.delete(streams.event, observerConsumer(id))
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown
    }
  })
}
