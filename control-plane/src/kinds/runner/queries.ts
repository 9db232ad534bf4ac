import type { RunnerFacts, RunnerHealth, RunnerPhase } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import type { Wake } from '../../reconciling/wake.ts'
import { resourceQueries } from '../../resource/queries.ts'
import { wakesOfOwner } from '../environment/index.ts'
import type { RunnerRow } from './table.ts'

/** Deleted runners are kept for the record, and never shown. */
export const runners = resourceQueries('runners', {
  noun: 'runner',
  names: 'unique',
  recordPhase: 'deleted',
})

/** Those that have ever registered and are not deleted. */
export async function presentRunnerIds(queryable: Queryable): Promise<string[]> {
  const rows = await queryable
    .selectFrom('runners')
    .select('id')
    .where('phase', '<>', 'deleted')
    .where('epoch', '>', 0)
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

export async function countEnvironments(
  queryable: Queryable,
  runnerIds: readonly string[],
): Promise<Map<string, number>> {
  if (runnerIds.length === 0) return new Map()
  const rows = await queryable
    .selectFrom('environments')
    .select(['runner_id', (expression) => expression.fn.countAll().as('count')])
    .where('runner_id', 'in', runnerIds)
    .where('phase', '<>', 'deleted')
    .groupBy('runner_id')
    .execute()
  return new Map(rows.map(({ runner_id, count }) => [runner_id ?? '', Number(count)]))
}

/** Writes what was seen of a runner. The row must have been read under lock. */
export async function setRunnerStatus(
  tx: DatabaseTransaction,
  row: RunnerRow,
  change: {
    phase: RunnerPhase
    facts?: RunnerFacts
    epoch?: number
    lastSeenAt?: Date
    health?: RunnerHealth | null
    leftAt?: string | null
    deletedAt?: Date
  },
): Promise<RunnerRow> {
  const status = {
    facts: change.facts ?? row.status.facts,
    observedSpecVersion: row.spec_version,
    leftAt: change.leftAt === undefined ? (row.status.leftAt ?? null) : change.leftAt,
  }
  const { phase, epoch, lastSeenAt: last_seen_at, health, deletedAt: deleted_at } = change
  return runners.changeStatus(tx, row.id, { phase, status, epoch, last_seen_at, health, deleted_at })
}

/** Notes heartbeats of current epochs; no version, no event: they happen every few seconds. Returns those they are of. */
export async function touchRunners(
  queryable: Queryable,
  beats: readonly { runnerId: string; epoch: number }[],
  now: Date,
): Promise<RunnerRow[]> {
  // Locked in one order, so that two replicas with the same heartbeats do not deadlock.
  const { rows } = await sql<RunnerRow>`
    WITH heard AS (
      SELECT runners.id FROM runners
      JOIN json_to_recordset(${JSON.stringify(beats)}::json) AS beat("runnerId" uuid, epoch integer)
        ON runners.id = beat."runnerId" AND runners.epoch = beat.epoch
      WHERE phase <> 'deleted' ORDER BY runners.id FOR NO KEY UPDATE OF runners
    )
    UPDATE runners SET last_seen_at = ${now} FROM heard WHERE runners.id = heard.id RETURNING runners.*`.execute(
    queryable,
  )
  return rows
}

/** Notes until when the credentials that are about to be signed are good; null for ever. Whether the runner is there. */
export async function noteCredentials(
  queryable: Queryable,
  id: string,
  endAt: Date | null,
): Promise<boolean> {
  const end = endAt === null ? sql<Date>`'infinity'::timestamptz` : sql<Date>`${endAt}::timestamptz`
  const { numAffectedRows } = await sql`
    UPDATE runners SET credentials_end_at = GREATEST(credentials_end_at, ${end})
    WHERE id = ${id} AND phase <> 'deleted'`.execute(queryable)
  return numAffectedRows === 1n
}

/** Those that are deleted and could still show credentials that have not ended. */
export async function revokedRunnerIds(queryable: Queryable, now: Date): Promise<string[]> {
  const rows = await queryable
    .selectFrom('runners')
    .select('id')
    .where('phase', '=', 'deleted')
    .where('credentials_end_at', '>', now)
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

export async function environmentIdsOn(tx: DatabaseTransaction, runnerId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('environments')
    .select('id')
    .where('phase', '<>', 'deleted')
    .where('runner_id', '=', runnerId)
    .execute()
  return rows.map(({ id }) => id)
}

/** The snapshots that a runner holds, or is to hold. */
export async function snapshotIdsOn(tx: DatabaseTransaction, runnerId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('snapshot_holders')
    .select('snapshot_id')
    .where('runner_id', '=', runnerId)
    .execute()
  return rows.map(({ snapshot_id }) => snapshot_id)
}

/** Wakes for the owners of a runner's environments. */
export async function ownersToWake(tx: DatabaseTransaction, runnerId: string): Promise<Wake[]> {
  const rows = await tx
    .selectFrom('environments')
    .select(['owner_kind', 'owner_id'])
    .distinct()
    .where('runner_id', '=', runnerId)
    .where('phase', '<>', 'deleted')
    .execute()
  return rows.flatMap(wakesOfOwner)
}
