import type { Runner } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { countEnvironments } from './queries.ts'
import { type RunnerRow, toRunner } from './table.ts'

/** Runners with how many environments are on each. */
export async function showRunners(queryable: Queryable, rows: readonly RunnerRow[]): Promise<Runner[]> {
  const counts = await countEnvironments(
    queryable,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => toRunner(row, counts.get(row.id) ?? 0))
}
