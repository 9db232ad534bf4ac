import { HearthError, isId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { ListFilter, OrganizationScope } from '../../../resource/queries.ts'
import type { ProcessRow } from '../table.ts'
import { type Execution, type ExecutionParts, type ExecutionPhase, toExecution } from './execution.ts'
import { noteExecution } from './write.ts'

export interface ExecutionSearch {
  ids?: readonly string[] | undefined
  taskIds?: readonly string[] | undefined
  taskNames?: readonly string[] | undefined
  environmentIds?: readonly string[] | undefined
  phases?: readonly ExecutionPhase[] | undefined
}

/** The same as `toExecution` says, in SQL, so that pages are whole: a test compares them. */
const phaseInSql = sql<ExecutionPhase>`CASE
  WHEN execution.request = task.request THEN CASE
    WHEN task.phase IN ('pending', 'starting') THEN 'pending'
    WHEN task.phase IN ('running', 'restarting', 'stopping', 'deleting') THEN 'running'
    WHEN task.phase IN ('succeeded', 'failed') THEN task.phase
    ELSE 'stopped' END
  WHEN last.run IS NULL OR last.run->>'cause' = 'stopped' THEN 'stopped'
  WHEN last.run->>'finishedAt' IS NULL THEN 'running'
  WHEN last.run->>'exitCode' = '0' THEN 'succeeded'
  ELSE 'failed' END`

const among = (ids: readonly string[] | undefined, column: string, type: 'uuid' | 'text') =>
  ids?.length ? sql`AND ${sql.ref(column)} = ANY(${ids}::${sql.raw(type)}[])` : sql``

/** The newest first, one more than the limit when there are more. What is not given, or empty, narrows nothing. */
export async function searchExecutions(
  queryable: Queryable,
  { organizationId, after, limit }: ListFilter,
  { ids, taskIds, taskNames, environmentIds, phases }: ExecutionSearch,
): Promise<Execution[]> {
  const { rows } = await sql<ExecutionParts & { task_id: string }>`
    SELECT execution.id, execution.task_id, execution.request, execution.asked_at, last.run,
      (SELECT run->>'startedAt' FROM process_runs AS first
        WHERE first.process_id = execution.task_id AND first.request = execution.request
        ORDER BY number LIMIT 1) AS started_at
    FROM task_executions AS execution
    JOIN processes AS task ON task.id = execution.task_id
    LEFT JOIN LATERAL (SELECT run FROM process_runs
      WHERE process_id = execution.task_id AND request = execution.request
      ORDER BY number DESC LIMIT 1) AS last ON true
    WHERE task.organization_id = ${organizationId}
      ${after === undefined ? sql`` : sql`AND execution.id < ${after}`}
      ${among(ids, 'execution.id', 'uuid')}
      ${among(taskIds, 'execution.task_id', 'uuid')}
      ${among(taskNames, 'task.name', 'text')}
      ${among(environmentIds, 'task.environment_id', 'uuid')}
      ${phases?.length ? sql`AND ${phaseInSql} = ANY(${phases}::text[])` : sql``}
    ORDER BY execution.id DESC LIMIT ${limit + 1}`.execute(queryable)
  if (rows.length === 0) return []
  const tasks = await queryable
    .selectFrom('processes')
    .selectAll()
    .where(
      'id',
      'in',
      rows.map(({ task_id }) => task_id),
    )
    .execute()
  const byId = new Map(tasks.map((task) => [task.id, task]))
  return rows.flatMap((parts) => {
    const task = byId.get(parts.task_id)
    return task === undefined ? [] : [toExecution(parts, task)]
  })
}

export async function getExecution(
  queryable: Queryable,
  { organizationId }: OrganizationScope,
  id: string,
): Promise<Execution> {
  const [found] = isId(id)
    ? await searchExecutions(queryable, { organizationId, limit: 1 }, { ids: [id] })
    : []
  if (found === undefined) throw new HearthError('not_found', `there is no execution ${id} of a task`)
  return found
}

/** That of the start which was asked for last. */
export async function lastExecution(tx: Queryable, task: ProcessRow): Promise<Execution> {
  // A replica of an earlier version may have started it.
  await noteExecution(tx, task)
  const id = await executionIdOf(tx, task.id, task.request)
  return getExecution(tx, { organizationId: task.organization_id }, id ?? '')
}

/** The id of one start of a task; null where it is not kept. */
export async function executionIdOf(
  queryable: Queryable,
  taskId: string,
  request: number,
): Promise<string | null> {
  const row = await queryable
    .selectFrom('task_executions')
    .select('id')
    .where('task_id', '=', taskId)
    .where('request', '=', request)
    .executeTakeFirst()
  return row?.id ?? null
}
