import { sql } from 'kysely'
import type { Database } from '../database/connection.ts'
import { advisoryLocks } from '../database/locks.ts'
import { assignPositions } from '../kinds/event/index.ts'
import { publishEvents } from './events.ts'
import { publishOrders } from './orders.ts'
import type { PublisherOptions, Round } from './publisher-options.ts'
import { goRounds } from './rounds.ts'
import { logUnknownOrders } from './unknown-orders.ts'

const batchSize = 500
/**
 * Duration of a round; the next one continues. PostgreSQL ends a transaction that idles for three times as long, and a
 * replica that was suspended in a round must not continue when another has taken over.
 */
const roundMilliseconds = 3_000

/**
 * Publishes committed orders and events to NATS until the signal aborts. At a time one replica publishes orders and one
 * publishes events. What fails is published later, in the same order and under the same message ids. Orders do not wait
 * for events, and new events are numbered while earlier ones are being published.
 */
export async function publishCommitted(options: PublisherOptions, signal: AbortSignal): Promise<void> {
  const { database, notifications, messaging, timings, log } = options
  const shared = { notifications, rest: timings.publisherRest, log }
  const positions = async () => {
    await assignPositions(database)
    return false
  }
  const orders = async () =>
    messaging.isConnected() &&
    publish(database, advisoryLocks.orders, (round) => publishOrders(round, options))
  let usedSession: number | null = null
  const events = async () => {
    if (!messaging.isConnected()) return false
    const session = messaging.session()
    // Read before the transaction, which must not wait for NATS.
    const stream = await messaging.eventStream()
    return publish(database, advisoryLocks.events, async (round) => {
      const done = await publishEvents(round, { stream, session, isNew: session !== usedSession }, options)
      usedSession = session
      return done
    })
  }
  await Promise.all([
    goRounds(orders, { ...shared, channel: 'hearth_orders', pause: 5 }, signal),
    goRounds(positions, { ...shared, channel: 'hearth_outbox', pause: 30 }, signal),
    // No pause: events are announced when they are numbered, and numbering has a pause of its own.
    logUnknownOrders(options, signal),
    goRounds(events, { ...shared, channel: 'hearth_events', pause: 0 }, signal),
  ])
}

/** Runs one round; true when more may be waiting. */
async function publish(
  database: Database,
  lock: number,
  work: (round: Round) => Promise<number>,
): Promise<boolean> {
  return database.transaction().execute(async (tx) => {
    // If PostgreSQL crashes and loses this commit, the messages are published again under the same message ids.
    const { rows } = await sql<{ held: boolean }>`
      SELECT pg_try_advisory_xact_lock_shared(${advisoryLocks.publisher}) AND pg_try_advisory_xact_lock(${lock}) AS held,
        set_config('synchronous_commit', 'off', true)`.execute(tx)
    if (rows[0]?.held !== true) return false
    const end = performance.now() + roundMilliseconds
    const isOver = () => performance.now() > end
    return (await work({ tx, most: batchSize, isOver })) >= batchSize || isOver()
  })
}
