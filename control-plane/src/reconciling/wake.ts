import type { kinds } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../database/connection.ts'
import { writeLate } from '../database/late-writes.ts'

/**
 * `placement` is an organization's queue of environments that wait for a runner, `process` the tasks and services of one
 * environment, `attachment` its volumes, and `route` and `web-app` are woken by the id of an environment too; the others
 * are kinds.
 */
export type ReconciledKind =
  | (typeof kinds)[keyof typeof kinds]['word']
  | 'placement'
  | 'process'
  | 'attachment'

/** The only task of the job queue. */
export const reconcileTask = 'reconcile'

export interface Wake {
  kind: ReconciledKind
  id: string
  /** Reconciles the resource at this time; without it, soon. */
  at?: Date
  /** Reconciles it after so many milliseconds, together with all that ask for it until then. */
  within?: number
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
  const jobs = wakes.map((wake) => {
    const { kind, id, at = null, within = null } = wake
    return { task: reconcileTask, key: keyOf(wake), payload: { kind, id }, run_at: at, within }
  })
  await writeLate(queryable, { jobs })
}

// A timer and a wake that may wait have keys of their own: under the same key they would replace a wake that is due.
function keyOf({ kind, id, at, within }: Wake): string {
  if (at !== undefined) return `${kind}:${id}:timer`
  return within === undefined ? `${kind}:${id}` : `${kind}:${id}:within`
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
