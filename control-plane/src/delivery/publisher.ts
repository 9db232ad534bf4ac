import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, toError } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Metrics } from '../api/metrics.ts'
import type { Database, DatabaseTransaction } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'
import type { Notifications } from '../database/notifications.ts'
import { currentOrders } from '../kinds/environment/index.ts'
import { Doorbell, markPublished, placeEvents, unpublishedEvents } from '../kinds/event/index.ts'

const publisherLock = 7_204
const batchSize = 500
/** A notification may be lost; then this is how long a change waits. */
const restMilliseconds = 1_000
/** Between rounds, so that under load one round carries many changes. */
const pauseMilliseconds = 10

export interface PublisherOptions {
  database: Database
  notifications: Notifications
  messaging: Messaging
  encryption: Encryption
  clock: Clock
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
      await doorbell.wait(restMilliseconds)
    }
  } finally {
    stopListening()
  }
}

/** One round; true when there may be more. */
async function publishOnce(options: PublisherOptions): Promise<boolean> {
  const placed = await placeEvents(options.database)
  if (!options.messaging.isConnected()) return false
  const published = await options.database.transaction().execute(async (tx) => {
    const lock = await sql<{
      held: boolean
    }>`SELECT pg_try_advisory_xact_lock(${publisherLock}) AS held`.execute(tx)
    if (lock.rows[0]?.held !== true) return 0
    return (await publishOutbox(tx, options)) + (await publishEvents(tx, options))
  })
  return placed > 0 || published >= batchSize
}

async function publishEvents(
  tx: DatabaseTransaction,
  { messaging, metrics, clock }: PublisherOptions,
): Promise<number> {
  const events = await unpublishedEvents(tx, batchSize)
  if (events.length === 0) return 0
  // One after another: a repeated publication must not overtake a later one of the same resource.
  for (const event of events) await messaging.publishEvent(event)
  const now = clock.now().getTime()
  for (const event of events) metrics.publishSeconds.observe((now - Date.parse(event.time)) / 1000)
  await markPublished(tx, events.at(-1)?.position ?? 0)
  return events.length
}

async function publishOutbox(
  tx: DatabaseTransaction,
  { messaging, encryption }: PublisherOptions,
): Promise<number> {
  const rows = await tx.selectFrom('outbox').selectAll().orderBy('id').limit(batchSize).execute()
  for (const row of rows) {
    if (row.topic === 'purge') {
      await messaging.purgeOrder(row.runner_id, 'environment', row.environment_id)
      continue
    }
    const wanted = { runnerId: row.runner_id, environmentId: row.environment_id }
    for (const order of await currentOrders(tx, encryption, wanted)) {
      await messaging.publishOrder(
        order,
        `${order.id}:${order.runnerId}:${order.epoch}:${order.generation}:${row.id}`,
      )
    }
  }
  if (rows.length > 0) {
    await tx
      .deleteFrom('outbox')
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .execute()
  }
  return rows.length
}
