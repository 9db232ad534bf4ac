import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { toVolume, type VolumeRow } from './table.ts'
import { explain } from './why.ts'

/** Reads what a volume depends on, and explains its phase. */
export async function explainVolume(queryable: Queryable, row: VolumeRow): Promise<Explanation> {
  const holder = row.environment_id ?? row.status.attachedTo
  const [environment, runner] = await Promise.all([
    holder === null
      ? undefined
      : queryable
          .selectFrom('environments')
          .select(['name', 'phase'])
          .where('id', '=', holder)
          .executeTakeFirst(),
    row.runner_id === null
      ? undefined
      : queryable
          .selectFrom('runners')
          .select(['name', 'phase'])
          .where('id', '=', row.runner_id)
          .executeTakeFirst(),
  ])
  const volume = toVolume(row)
  const reasons = explain({ volume, environment: environment ?? null, runner: runner ?? null })
  return { kind: 'Volume', id: row.id, name: row.name, phase: row.phase, ...reasons }
}
