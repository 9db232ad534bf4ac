import type { Queryable } from '../../../database/connection.ts'

/** A machine of which output is read. */
export interface LoggedMachine {
  id: string
  runnerId: string | null
  /** On which it was before, the earliest first. */
  formerRunnerIds: readonly string[]
  /** Whether nothing is printed in it any more. */
  isOver: boolean
}

const select = (queryable: Queryable) =>
  queryable.selectFrom('environments').select(['id', 'runner_id', 'phase', 'status'])
type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number]

const toMachine = ({ id, runner_id, phase, status }: Row): LoggedMachine => ({
  id,
  runnerId: runner_id,
  formerRunnerIds: (status.formerRunnerIds ?? []).filter((former) => former !== runner_id),
  isOver: phase === 'deleted' || phase === 'failed',
})

/** The one that a pipeline had last, also where that is gone by now. */
export async function newestMachine(queryable: Queryable, pipelineId: string): Promise<LoggedMachine | null> {
  const row = await select(queryable)
    .where('owner_kind', '=', 'pipeline')
    .where('owner_id', '=', pipelineId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? null : toMachine(row)
}

export async function readMachine(queryable: Queryable, id: string): Promise<LoggedMachine | null> {
  const row = await select(queryable).where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : toMachine(row)
}
