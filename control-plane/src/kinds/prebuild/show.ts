import { isPrebuildActive, type Prebuild, type PrebuildTask } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { readPrebuildTasks } from '../process/index.ts'
import { readSteps } from './queries.ts'
import { readProgress } from './snapshotting.ts'
import { type PrebuildRow, toPrebuild } from './table.ts'

/** Prebuilds with what their machines and snapshots show at this moment. */
export async function showPrebuilds(queryable: Queryable, rows: readonly PrebuildRow[]): Promise<Prebuild[]> {
  const working = rows.filter(({ phase }) => isPrebuildActive(phase))
  const steps = await readSteps(
    queryable,
    working.flatMap(({ environment_id }) => environment_id ?? []),
  )
  const tasks = await tasksOfMachines(queryable, working)
  const progress = await readProgress(
    queryable,
    working.flatMap(({ snapshot_id }) => snapshot_id ?? []),
  )
  return rows.map((row) => {
    const seen = row.environment_id === null ? undefined : steps.get(row.environment_id)
    if (seen === undefined || !isPrebuildActive(row.phase)) return toPrebuild(row, null)
    return toPrebuild(row, {
      steps: seen,
      tasks: tasks.get(row.id) ?? [],
      progress: progress.get(row.snapshot_id ?? '') ?? null,
    })
  })
}

/** By prebuild; where the machine has none any more, those of the record. */
async function tasksOfMachines(
  queryable: Queryable,
  rows: readonly PrebuildRow[],
): Promise<Map<string, PrebuildTask[]>> {
  const known = await Promise.all(
    rows.map(async ({ id, environment_id, status }) => {
      const there =
        status.tasks === undefined || environment_id === null
          ? []
          : await readPrebuildTasks(queryable, environment_id)
      return [id, there.length === 0 ? (status.tasks ?? []) : there] as const
    }),
  )
  return new Map(known)
}

export async function showPrebuild(queryable: Queryable, row: PrebuildRow): Promise<Prebuild> {
  const [prebuild] = await showPrebuilds(queryable, [row])
  if (prebuild === undefined) throw new Error(`prebuild ${row.id} was not shown`)
  return prebuild
}
