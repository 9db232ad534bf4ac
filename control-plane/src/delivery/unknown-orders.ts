import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { PublisherOptions } from './publisher-options.ts'

const lookMilliseconds = 60_000

/** Logs every minute, until the signal aborts, how many orders are waiting that only a newer version knows. */
export async function tellUnknownOrders(
  { database, workKinds, log }: Pick<PublisherOptions, 'database' | 'workKinds' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const known = workKinds.map(({ messages }) => messages.kind)
  while (!signal.aborted) {
    try {
      const waiting = await database
        .selectFrom('outbox')
        .select(['kind', sql<number>`count(*)::integer`.as('orders')])
        .where('kind', 'not in', known)
        // Young orders are left out: a newer replica may be about to publish them.
        .where('created_at', '<', sql<Date>`now() - interval '10 seconds'`)
        .groupBy('kind')
        .execute()
      for (const { kind, orders } of waiting)
        log.warn(
          { kind, orders },
          'orders of a kind of work that this version does not know wait for a newer one',
        )
    } catch (thrown) {
      log.warn({ err: toError(thrown) }, 'could not look for orders of unknown kinds of work')
    }
    await delay(lookMilliseconds, undefined, { signal }).catch(() => undefined)
  }
}
