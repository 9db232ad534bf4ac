import type { Failure, Job, JobLogEntry, JobOperation, JobPhase } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import { recordEvents } from '../../resource/record.ts'
import { type JobRow, toListedJob } from './table.ts'

export const jobs = resourceQueries('jobs', { noun: 'job' })

export interface JobSubject {
  organizationId: string
  operation: JobOperation
  kind: string
  id: string
}

/** Begins the record of an operation. */
export async function beginJob(
  tx: DatabaseTransaction,
  subject: JobSubject,
  entry: JobLogEntry,
): Promise<void> {
  const begun = await insertJobs(tx, [subject], entry)
  await recordEvents(
    tx,
    begun.map((job) => ({ verb: 'created', job })),
  )
}

/** The same for many, without their events, which the caller records. */
export async function insertJobs(
  tx: DatabaseTransaction,
  subjects: readonly JobSubject[],
  entry: JobLogEntry,
): Promise<Job[]> {
  const values = subjects.map((subject) => ({
    id: newId(),
    organization_id: subject.organizationId,
    operation: subject.operation,
    resource_kind: subject.kind,
    resource_id: subject.id,
    phase: 'running' as const,
    log: JSON.stringify([entry]),
    failure: null,
    finished_at: null,
  }))
  const rows = await tx.insertInto('jobs').values(values).returningAll().execute()
  return rows.map(toListedJob)
}

/** An addition to the job of a resource's running operation. */
export interface JobContinuation {
  operation: JobOperation
  /** Of the resource. */
  id: string
  entries: readonly JobLogEntry[]
  end?: { phase: Exclude<JobPhase, 'running'>; failure: Failure | null; at: Date }
}

/** Adds to the log of a resource's running job; does nothing when none is running. */
export async function continueJob(
  tx: DatabaseTransaction,
  subject: Pick<JobSubject, 'operation' | 'id'>,
  entries: readonly JobLogEntry[],
  end?: JobContinuation['end'],
): Promise<void> {
  await continueJobs(tx, [{ ...subject, entries, ...(end === undefined ? {} : { end }) }])
}

/** Most entries of a job's log besides those of its end, since a runner may report without bound. */
const mostEntries = 1_000

/** Like `continueJob` for many jobs; several continuations of one job take effect in the order given. */
export async function continueJobs(
  tx: DatabaseTransaction,
  continuations: readonly JobContinuation[],
): Promise<void> {
  const merged = mergeContinuations(continuations)
  if (merged.length === 0) return
  const rows = merged.map(({ operation, id, entries, end }) => ({
    operation,
    resource_id: id,
    entries,
    phase: end?.phase ?? null,
    failure: end?.failure ?? null,
    finished_at: end?.at ?? null,
  }))
  const changed = await sql<JobRow>`
    UPDATE jobs SET log = CASE
        WHEN jsonb_array_length(log) >= ${mostEntries} AND change.phase IS NULL THEN log ELSE log || change.entries END,
      phase = coalesce(change.phase, jobs.phase),
      failure = CASE WHEN change.phase IS NULL THEN jobs.failure ELSE nullif(change.failure, 'null') END,
      finished_at = change.finished_at
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS change(operation text, resource_id uuid, entries jsonb,
      phase text, failure jsonb, finished_at timestamptz)
    WHERE jobs.resource_id = change.resource_id AND jobs.operation = change.operation AND jobs.phase = 'running'
    RETURNING jobs.*`.execute(tx)
  const ended = changed.rows.filter(({ phase }) => phase !== 'running').map(toListedJob)
  await recordEvents(
    tx,
    ended.map((job) => ({ verb: 'updated', job })),
  )
}

/**
 * Merges continuations of one job, since a statement changes a row only once. Those after the job's end are ignored.
 */
function mergeContinuations(continuations: readonly JobContinuation[]): JobContinuation[] {
  const merged = new Map<string, JobContinuation>()
  for (const continuation of continuations) {
    const { operation, id, entries, end } = continuation
    const before = merged.get(`${operation}:${id}`)
    if (before?.end !== undefined || (entries.length === 0 && end === undefined)) continue
    const together = [...(before?.entries ?? []).slice(0, mostEntries), ...entries]
    merged.set(`${operation}:${id}`, { ...continuation, entries: together })
  }
  return [...merged.values()]
}

export async function forgetJobs(database: Database, before: Date): Promise<void> {
  await database.deleteFrom('jobs').where('finished_at', '<', before).execute()
}
