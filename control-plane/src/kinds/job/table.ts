import type { Failure, Job, JobLogEntry, JobOperation, JobPhase } from '@hearth/contract'
import type { ColumnType, JSONColumnType, Selectable } from 'kysely'

export interface JobTable {
  id: string
  organization_id: string
  operation: JobOperation
  resource_kind: string
  resource_id: string
  phase: JobPhase
  log: JSONColumnType<JobLogEntry[]>
  failure: JSONColumnType<Failure> | null
  created_at: ColumnType<Date, Date | undefined, never>
  finished_at: Date | null
}
export interface JobTables {
  jobs: JobTable
}
export type JobRow = Selectable<JobTable>

export function toJob(row: JobRow): Job {
  return {
    kind: 'Job',
    id: row.id,
    organizationId: row.organization_id,
    operation: row.operation,
    resource: { kind: row.resource_kind, id: row.resource_id },
    phase: row.phase,
    log: row.log,
    failure: row.failure,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  }
}

/** Most bytes of log messages that lists and events show of a job. */
const mostLogBytes = 16 * 1024

/** A job with only the end of its log, for lists and events. Reading the one job shows all of it. */
export function toListedJob(row: JobRow): Job {
  const job = toJob(row)
  let bytes = 0
  const tooEarly = job.log.findLastIndex(({ message }) => {
    bytes += Buffer.byteLength(message)
    return bytes > mostLogBytes
  })
  return { ...job, log: job.log.slice(tooEarly + 1) }
}
