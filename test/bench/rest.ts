import { reportConsumer, streams } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type pg from 'pg'

interface Unrest {
  /** Reconciles that are due or running. */
  due: number
  /** Changes not yet published to observers and agents. */
  unpublished: number
  /** Reports that are stored but not yet processed. */
  reports: number
  /** Agents without a heartbeat since the given time. */
  silent: number
}

/** Remaining work according to PostgreSQL and NATS. */
async function readUnrest(pool: pg.Pool, nats: NatsConnection, since: Date): Promise<Unrest> {
  const { rows } = await pool.query<{ due: string; unpublished: string; silent: string }>(
    `SELECT
       (SELECT count(*) FROM graphile_worker.jobs WHERE run_at <= now()) AS due,
       (SELECT count(*) FROM outbox) + (SELECT count(*) FROM events WHERE position IS NULL)
         + (SELECT coalesce(max(position), 0) FROM events) - (SELECT position FROM event_publication) AS unpublished,
       (SELECT count(*) FROM runners WHERE phase <> 'active' OR last_seen_at < $1) AS silent`,
    [since],
  )
  const manager = await jetstreamManager(nats, { checkAPI: false })
  const { num_pending, num_ack_pending } = await manager.consumers.info(streams.report, reportConsumer)
  const row = rows[0]
  return {
    due: Number(row?.due),
    unpublished: Number(row?.unpublished),
    reports: num_pending + num_ack_pending,
    silent: Number(row?.silent),
  }
}

function isAtRest(unrest: Unrest): boolean {
  return unrest.due + unrest.unpublished + unrest.reports + unrest.silent === 0
}

/**
 * Resolves when no work is left and all agents have sent a heartbeat; throws with the remaining work after the time
 * limit.
 */
export async function untilRest(
  pool: pg.Pool,
  nats: NatsConnection,
  since: Date,
  timeoutMilliseconds: number,
): Promise<void> {
  let unrest: Unrest | undefined
  const atRest = async () => {
    unrest = await readUnrest(pool, nats, since)
    return isAtRest(unrest)
  }
  await eventually(atRest, { timeoutMilliseconds, intervalMilliseconds: 200 }).catch((error: unknown) => {
    throw new Error(`not at rest: ${JSON.stringify(unrest)}`, { cause: error })
  })
}
