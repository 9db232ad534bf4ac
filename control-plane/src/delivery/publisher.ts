import { sql } from 'kysely'
import type { Database } from '../database/connection.ts'
import { advisoryLocks } from '../database/locks.ts'
import { assignPositions } from '../kinds/event/index.ts'
import { publishEvents } from './events.ts'
import { publishOrders } from './orders.ts'
import type { PublisherOptions, Round } from './publisher-options.ts'
import { goRounds } from './rounds.ts'
import { tellUnknownOrders } from './unknown-orders.ts'

const batchSize = 500
/**
 * A round ends after this long and is gone on with in the next: PostgreSQL ends a transaction that idles for longer than
 * three times this, and a replica that was halted in the middle must not go on when another has taken its place.
 */
const roundMilliseconds = 3_000

/**
 * Carries what was committed to NATS, until the signal aborts. One replica publishes orders at a time, and one events;
 * what could not be published is published later, in the same order and under the same message ids. Orders do not wait
 * for events, and events get their positions while those before are on their way.
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
    // Before the transaction, which must not wait for NATS to say so.
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
    // Announced when they have got their positions, which has its pause.
    tellUnknownOrders(options, signal),
    goRounds(events, { ...shared, channel: 'hearth_events', pause: 0 }, signal),
  ])
}

/** One round; true when there may be more. */
async function publish(
  database: Database,
  lock: number,
  work: (round: Round) => Promise<number>,
): Promise<boolean> {
  return database.transaction().execute(async (tx) => {
    // What a crash of PostgreSQL makes it forget of this is published again, under the same message ids.
    const { rows } = await sql<{ held: boolean }>`
      SELECT pg_try_advisory_xact_lock_shared(${advisoryLocks.publisher}) AND pg_try_advisory_xact_lock(${lock}) AS held,
        set_config('synchronous_commit', 'off', true)`.execute(tx)
    if (rows[0]?.held !== true) return false
    const end = performance.now() + roundMilliseconds
    const isOver = () => performance.now() > end
    return (await work({ tx, most: batchSize, isOver })) >= batchSize || isOver()
  })
}
