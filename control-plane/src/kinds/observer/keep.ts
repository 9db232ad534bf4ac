import { type Clock, toError } from '@hearth/foundation'
import type { Messaging } from '@hearth/messaging'
import type { Logger } from 'pino'
import type { Database } from '../../database/connection.ts'
import { observers, observersToKeep } from './queries.ts'
import { toObserver } from './table.ts'

/**
 * Removes observers that have expired or whose creator has no valid token: their NATS credentials cannot be revoked,
 * but reach nothing without their consumer. Recreates the consumers of other observers that NATS has lost.
 */
export async function keepObservers(
  database: Database,
  messaging: Messaging,
  clock: Clock,
  log: Logger,
): Promise<void> {
  for (const row of await observersToKeep(database, clock.now())) {
    const { id, ended } = row
    try {
      if (ended) await endObserver(database, messaging, id)
      else await messaging.ensureObserver(toObserver(row), 'oldest')
    } catch (error) {
      log.warn({ err: toError(error), observerId: id }, 'could not check an observer in NATS; trying again')
    }
  }
}

/** The same for those whose time is over alone, as soon as a token has ended. */
export async function removeEndedObservers(
  database: Database,
  messaging: Messaging,
  clock: Clock,
  log: Logger,
): Promise<void> {
  for (const { id, ended } of await observersToKeep(database, clock.now())) {
    if (!ended) continue
    await endObserver(database, messaging, id).catch((error: unknown) =>
      log.warn(
        { err: toError(error), observerId: id },
        'could not remove an observer from NATS; trying again',
      ),
    )
  }
}

/** The consumer first: once the row is gone nobody would look for it. */
export async function endObserver(database: Database, messaging: Messaging, id: string): Promise<void> {
  await messaging.removeObserver(id)
  await observers.remove(database, id)
}

/** After the stream of events was found to end at `end`: who had read on reads again what takes the place of the rest. */
export async function rewindObservers(
  database: Database,
  messaging: Messaging,
  clock: Clock,
  end: number,
): Promise<void> {
  for (const row of await observersToKeep(database, clock.now()))
    if (!row.ended) await messaging.rewindObserver(toObserver(row), end)
}
