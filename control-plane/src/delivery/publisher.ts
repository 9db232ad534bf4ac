import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, toError } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'
import type { Database, DatabaseTransaction } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { Notifications } from '../database/notifications.ts'
import { Doorbell, markPublished, noteStream, placeEvents, unpublishedEvents } from '../kinds/event/index.ts'
import type { Timings } from '../timings.ts'
import { carryInOrder } from './in-order.ts'
import { publishOutbox } from './outbox.ts'

const publisherLock = 7_204
const batchSize = 500
/**
 * A round ends after this long and is gone on with in the next: PostgreSQL ends a transaction that idles for longer than
 * three times this, and a replica that was halted in the middle must not go on when another has taken its place.
 */
const roundMilliseconds = 3_000
/** Between rounds, so that under load one round carries many changes. */
const pauseMilliseconds = 20

export interface PublisherOptions {
  database: Database
  notifications: Notifications
  messaging: Messaging
  encryption: Encryption
  clock: Clock
  timings: Timings
  metrics: Metrics
  log: Logger
}

/**
 * Carries what was committed to NATS, until the signal aborts. One replica publishes at a time; what could not be
 * published is published later, in the same order and under the same message ids.
 */
export async function publishCommitted(options: PublisherOptions, signal: AbortSignal): Promise<void> {
  const doorbell = new Doorbell(signal)
  const stopListening = options.notifications.on('hearth_outbox', () => doorbell.ring())
  try {
    while (!signal.aborted) {
      const more = await publishOnce(options).catch((error: unknown) => {
        options.log.warn({ err: toError(error) }, 'could not publish; trying again')
        return false
      })
      if (more) continue
      await delay(pauseMilliseconds, undefined, { signal }).catch(() => undefined)
      await doorbell.wait(options.timings.publisherRest)
    }
  } finally {
    stopListening()
  }
}

/** One round; true when there may be more. */
async function publishOnce(options: PublisherOptions): Promise<boolean> {
  const { database, messaging, log } = options
  await placeEvents(database)
  if (!messaging.isConnected()) return false
  const stream = await messaging.eventStream()
  return database.transaction().execute(async (tx) => {
    // What a crash of PostgreSQL makes it forget of this is published again, under the same message ids.
    const lock = await sql<{ held: boolean }>`
      SELECT pg_try_advisory_xact_lock(${publisherLock}) AS held,
        set_config('synchronous_commit', 'off', true)`.execute(tx)
    if (lock.rows[0]?.held !== true) return false
    if (await noteStream(tx, stream)) log.warn('NATS has lost its events; what is kept is published again')
    const end = performance.now() + roundMilliseconds
    const isOver = () => performance.now() > end
    const orders = await publishOutbox(tx, options, { most: batchSize, isOver })
    const events = await publishEvents(tx, options, stream, isOver)
    return Math.max(orders, events) >= batchSize || isOver()
  })
}

/** Returns how many it published. */
async function publishEvents(
  tx: DatabaseTransaction,
  { messaging, metrics, clock, log }: PublisherOptions,
  stream: string,
  isOver: () => boolean,
): Promise<number> {
  const events = await unpublishedEvents(tx, batchSize)
  const { done, failures } = await carryInOrder(
    events,
    // A repeated publication must not overtake a later one of the same resource.
    ({ resourceId }) => resourceId,
    (event) => messaging.publishEvent(event, stream),
    isOver,
  )
  for (const { item, error } of failures)
    log.warn({ err: error, eventId: item.id }, 'could not publish an event')
  const open = events.findIndex((event) => !done.has(event))
  const published = open === -1 ? events : events.slice(0, open)
  const now = clock.now().getTime()
  for (const event of published) metrics.publishSeconds.observe((now - Date.parse(event.time)) / 1000)
  const last = published.at(-1)
  if (last !== undefined) await markPublished(tx, last.position)
  return published.length
}
