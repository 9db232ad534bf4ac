import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { PublisherOptions } from './publisher-options.ts'

const lookMilliseconds = 60_000

/** Logs every minute, until the signal aborts, how many orders wait for a version that knows their kind. */
export async function logUnknownOrders(
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
          'orders wait for a newer control plane: this version does not know their kind of work',
        )
    } catch (thrown) {
      log.warn({ err: toError(thrown) }, 'could not count orders of unknown kinds of work')
    }
    await delay(lookMilliseconds, undefined, { signal }).catch(() => undefined)
  }
}
