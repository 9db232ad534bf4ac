import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { ProcessKind, ProcessRow } from './table.ts'

export const processQueries = {
  task: resourceQueries('processes', { noun: 'task', names: 'shared', only: { kind: 'task' } }),
  service: resourceQueries('processes', { noun: 'service', names: 'shared', only: { kind: 'service' } }),
}
/** Of both kinds. */
export const processes = resourceQueries('processes', { noun: 'process' })

/** Locks the processes of an environment, always in the same order. */
export async function lockProcessesOf(tx: DatabaseTransaction, environmentId: string): Promise<ProcessRow[]> {
  return tx
    .selectFrom('processes')
    .selectAll()
    .where('environment_id', '=', environmentId)
    .orderBy('id')
    .forUpdate()
    .execute()
}

/** The same without a lock. */
export async function readProcessesOf(queryable: Queryable, environmentId: string): Promise<ProcessRow[]> {
  return queryable
    .selectFrom('processes')
    .selectAll()
    .where('environment_id', '=', environmentId)
    .orderBy('id')
    .execute()
}

export async function lockProcesses(tx: DatabaseTransaction, ids: readonly string[]): Promise<ProcessRow[]> {
  if (ids.length === 0) return []
  return tx.selectFrom('processes').selectAll().where('id', 'in', ids).orderBy('id').forUpdate().execute()
}

/** A page of those that fit, of one kind. */
export async function listProcesses(
  queryable: Queryable,
  kind: ProcessKind,
  wanted: {
    organizationId: string
    after?: string | undefined
    limit: number
    name?: string | undefined
    environmentId?: string | undefined
    claimId?: string | undefined
    phase?: string | undefined
  },
): Promise<ProcessRow[]> {
  const { name, environmentId, claimId, phase, ...page } = wanted
  let environment = environmentId
  if (claimId !== undefined) {
    const claim = await queryable
      .selectFrom('claims')
      .select('environment_id')
      .where('id', '=', claimId)
      .where('organization_id', '=', wanted.organizationId)
      .executeTakeFirst()
    if (claim?.environment_id == null) return []
    if (environment !== undefined && environment !== claim.environment_id) return []
    environment = claim.environment_id
  }
  return processQueries[kind].list(queryable, page, {
    ...(name === undefined ? {} : { name }),
    ...(environment === undefined ? {} : { environment_id: environment }),
    ...(phase === undefined ? {} : { phase: phase as ProcessRow['phase'] }),
  })
}

/** Runs kept of each process. */
const mostRuns = 50

/** Stores how runs are or were, and forgets the oldest. */
export async function writeRuns(
  tx: DatabaseTransaction,
  processId: string,
  told: readonly { number: number; request: number }[],
): Promise<void> {
  // A runner may tell the same run twice; the last word counts.
  const runs = [...new Map(told.map((run) => [run.number, run])).values()]
  if (runs.length === 0) return
  const newest = Math.max(...runs.map(({ number }) => number))
  await sql`
    INSERT INTO process_runs (process_id, number, run, request)
    SELECT ${processId}, (run->>'number')::integer, run - 'request', (run->>'request')::integer
    FROM jsonb_array_elements(${JSON.stringify(runs)}::jsonb) AS run
    ON CONFLICT (process_id, number) DO UPDATE SET run = excluded.run, request = excluded.request`.execute(tx)
  await tx
    .deleteFrom('process_runs')
    .where('process_id', '=', processId)
    .where('number', '<=', newest - mostRuns)
    .execute()
}

/** The newest first. */
export async function readRuns(queryable: Queryable, processId: string) {
  const rows = await queryable
    .selectFrom('process_runs')
    .select('run')
    .where('process_id', '=', processId)
    .orderBy('number', 'desc')
    .execute()
  return rows.map(({ run }) => run)
}

/** How many processes an environment has. */
export async function countProcesses(queryable: Queryable, environmentId: string): Promise<number> {
  const { count } = await queryable
    .selectFrom('processes')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('environment_id', '=', environmentId)
    .executeTakeFirstOrThrow()
  return Number(count)
}
