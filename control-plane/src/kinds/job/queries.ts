import type { Failure, JobLogEntry, JobOperation, JobPhase } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../../database/connection.ts'
import { recordJobEvent } from '../event/index.ts'
import { type JobRow, toJob } from './table.ts'

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
  const row = await tx
    .insertInto('jobs')
    .values({
      id: newId(),
      organization_id: subject.organizationId,
      operation: subject.operation,
      resource_kind: subject.kind,
      resource_id: subject.id,
      phase: 'running',
      log: JSON.stringify([entry]),
      failure: null,
      finished_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await recordJobEvent(tx, 'created', toJob(row))
}

/** Adds to the log of the operation under way on a resource; does nothing when none is. */
export async function continueJob(
  tx: DatabaseTransaction,
  subject: Pick<JobSubject, 'operation' | 'id'>,
  entries: readonly JobLogEntry[],
  end?: { phase: Exclude<JobPhase, 'running'>; failure: Failure | null; at: Date },
): Promise<void> {
  if (entries.length === 0 && end === undefined) return
  const row = await tx
    .updateTable('jobs')
    .set({
      log: sql`log || ${JSON.stringify(entries)}::jsonb`,
      ...(end === undefined
        ? {}
        : {
            phase: end.phase,
            failure: end.failure === null ? null : JSON.stringify(end.failure),
            finished_at: end.at,
          }),
    })
    .where('resource_id', '=', subject.id)
    .where('operation', '=', subject.operation)
    .where('phase', '=', 'running')
    .returningAll()
    .executeTakeFirst()
  if (row !== undefined && end !== undefined) await recordJobEvent(tx, 'updated', toJob(row))
}

export interface JobFilter {
  organizationId: string
  resourceId?: string | undefined
  phase?: JobPhase | undefined
  after?: string | undefined
  limit: number
}

export async function listJobs(database: Database, filter: JobFilter): Promise<JobRow[]> {
  let query = database
    .selectFrom('jobs')
    .selectAll()
    .where('organization_id', '=', filter.organizationId)
    .orderBy('id')
    .limit(filter.limit + 1)
  if (filter.resourceId !== undefined) query = query.where('resource_id', '=', filter.resourceId)
  if (filter.phase !== undefined) query = query.where('phase', '=', filter.phase)
  if (filter.after !== undefined) query = query.where('id', '>', filter.after)
  return query.execute()
}

export async function findJob(
  database: Database,
  organizationId: string,
  id: string,
): Promise<JobRow | undefined> {
  return database
    .selectFrom('jobs')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function forgetJobs(database: Database, before: Date): Promise<void> {
  await database.deleteFrom('jobs').where('finished_at', '<', before).execute()
}
