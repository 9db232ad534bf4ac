import { toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Database } from '../database/connection.ts'
import type { Timings } from '../timings.ts'

/**
 * Releases the jobs of killed replicas, which the queue library does only after four hours. Checks at once and then at
 * intervals; the returned function stops it.
 */
export function releaseAbandonedJobs(database: Database, timings: Timings, log: Logger): () => void {
  const look = () => {
    release(database, timings.abandonedJob).then(
      (workers) => workers > 0 && log.warn({ workers }, 'released the jobs of killed replicas'),
      (error: unknown) => log.warn({ err: toError(error) }, 'could not look for abandoned jobs'),
    )
  }
  look()
  const timer = setInterval(look, timings.abandonedJobLook)
  return () => clearInterval(timer)
}

async function release(database: Database, afterMilliseconds: number): Promise<number> {
  const { rows } = await sql<{ workers: string[] | null }>`
    SELECT array_agg(DISTINCT locked_by) AS workers FROM graphile_worker.jobs
    WHERE locked_at < now() - ${afterMilliseconds} * interval '1 millisecond'`.execute(database)
  const workers = rows[0]?.workers ?? []
  if (workers.length > 0)
    await sql`SELECT graphile_worker.force_unlock_workers(${workers}::text[])`.execute(database)
  return workers.length
}
