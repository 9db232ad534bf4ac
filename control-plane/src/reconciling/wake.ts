import type { kinds } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../database/connection.ts'

/** `placement` is an organization's queue of environments that wait for a runner; the others are kinds. */
export type ReconciledKind = (typeof kinds)[keyof typeof kinds]['word'] | 'placement'

/** The only task of the job queue. */
export const reconcileTask = 'reconcile'

export interface Wake {
  kind: ReconciledKind
  id: string
  /** Reconciles the resource at this time; without it, soon. */
  at?: Date
}

/**
 * Has a resource reconciled soon. In a transaction it takes effect with the commit; repeated wakes are merged into one.
 */
export async function wake(queryable: Queryable, kind: ReconciledKind, id: string): Promise<void> {
  await wakeMany(queryable, [{ kind, id }])
}

/** Like `wake`, for many of one kind at once. */
export async function wakeAll(
  queryable: Queryable,
  kind: ReconciledKind,
  ids: readonly string[],
): Promise<void> {
  await wakeMany(
    queryable,
    ids.map((id) => ({ kind, id })),
  )
}

/** Sets the resource's timer. */
export async function wakeAt(
  queryable: Queryable,
  kind: ReconciledKind,
  id: string,
  time: Date,
): Promise<void> {
  await wakeMany(queryable, [{ kind, id, at: time }])
}

/** Wakes and timers, any number in one statement. Of two timers of one resource the later in the list counts. */
export async function wakeMany(queryable: Queryable, wakes: readonly Wake[]): Promise<void> {
  const jobs = new Map<string, { key: string; payload: object; run_at: Date | null }>()
  for (const { kind, id, at } of wakes) {
    // A timer has a key of its own: under the same key it would replace a wake that is already due.
    const key = at === undefined ? `${kind}:${id}` : `${kind}:${id}:timer`
    jobs.set(key, { key, payload: { kind, id }, run_at: at ?? null })
  }
  if (jobs.size === 0) return
  // In the order of their keys, so that two transactions that wake the same resources do not deadlock.
  await sql`
    SELECT count(*) FROM graphile_worker.add_jobs((
      SELECT array_agg((${reconcileTask}::text, payload, null, run_at, null, key, null, null)::graphile_worker.job_spec
        ORDER BY key)
      FROM json_to_recordset(${JSON.stringify([...jobs.values()])}::json)
        AS job(key text, payload json, run_at timestamptz)))`.execute(queryable)
}

/**
 * Like `wake` after a pause, for bursts: wakes within the pause are merged. The pause must be shorter than any timer,
 * and it has a key of its own for the same reason as timers.
 */
export async function wakeAfter(
  queryable: Queryable,
  kind: ReconciledKind,
  id: string,
  milliseconds: number,
): Promise<void> {
  await sql`
    SELECT graphile_worker.add_job(${reconcileTask}, ${JSON.stringify({ kind, id })}::json,
      run_at := now() + ${milliseconds} * interval '1 millisecond', job_key := ${`${kind}:${id}:burst`},
      job_key_mode := 'preserve_run_at')`.execute(queryable)
}

/**
 * Retries a failed reconcile after a pause. It has a key of its own, so that it does not postpone an earlier wake.
 */
export async function wakeAgain(
  queryable: Queryable,
  kind: ReconciledKind,
  id: string,
  milliseconds: number,
  failures: number,
): Promise<void> {
  await sql`
    SELECT graphile_worker.add_job(${reconcileTask}, ${JSON.stringify({ kind, id, failures })}::json,
      run_at := now() + ${milliseconds} * interval '1 millisecond', job_key := ${`${kind}:${id}:retry`})`.execute(
    queryable,
  )
}
