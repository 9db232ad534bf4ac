import { sql } from 'kysely'
import type { Queryable } from '../database/connection.ts'

export type ReconciledKind = 'runner' | 'environment' | 'warm-pool' | 'claim' | 'project'

/** The one task of the queue. */
export const reconcileTask = 'reconcile'

/** Has a resource reconciled soon. In a transaction it takes effect with the commit; many wakes are one. */
export async function wake(queryable: Queryable, kind: ReconciledKind, id: string): Promise<void> {
  await sql`SELECT graphile_worker.add_job(${reconcileTask}, ${payload(kind, id)}::json, job_key := ${`${kind}:${id}`})`.execute(
    queryable,
  )
}

/**
 * Like `wake` after a pause, for what comes in bursts: those within the pause are one. It must be shorter than any
 * timer, and has a key of its own for the same reason as they do.
 */
export async function wakeAfter(
  queryable: Queryable,
  kind: ReconciledKind,
  id: string,
  milliseconds: number,
): Promise<void> {
  await sql`
    SELECT graphile_worker.add_job(${reconcileTask}, ${payload(kind, id)}::json,
      run_at := now() + ${milliseconds} * interval '1 millisecond', job_key := ${`${kind}:${id}:burst`},
      job_key_mode := 'preserve_run_at')`.execute(queryable)
}

/** Like `wake`, for many at once. */
export async function wakeAll(
  queryable: Queryable,
  kind: ReconciledKind,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  await sql`
    SELECT graphile_worker.add_job(${reconcileTask}, json_build_object('kind', ${kind}::text, 'id', id), job_key := ${kind}::text || ':' || id)
    FROM unnest(${ids.toSorted()}::text[]) AS id`.execute(queryable)
}

/**
 * Sets the resource's timer. It has a key of its own: under the same key a later timer would replace a wake that is
 * already due.
 */
export async function wakeAt(
  queryable: Queryable,
  kind: ReconciledKind,
  id: string,
  time: Date,
): Promise<void> {
  await sql`SELECT graphile_worker.add_job(${reconcileTask}, ${payload(kind, id)}::json, run_at := ${time}, job_key := ${`${kind}:${id}:timer`})`.execute(
    queryable,
  )
}

function payload(kind: ReconciledKind, id: string): string {
  return JSON.stringify({ kind, id })
}
