import { prebuildBootAttempts } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wakeAll } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { projects, specOf } from '../project/index.ts'
import { prebuilds } from './queries.ts'
import { type PrebuildRow, toPrebuild } from './table.ts'

/** Of completed prebuilds, the newest first, those that are too many. The newest from which machines start always stays. */
export function tooMany<Kept extends { failedBoots: number }>(
  newestFirst: readonly Kept[],
  keep: number,
): Kept[] {
  const good = newestFirst.find(({ failedBoots }) => failedBoots < prebuildBootAttempts)
  return newestFirst.slice(keep).filter((prebuild) => prebuild !== good)
}

/** Lets the oldest completed prebuilds of the same project and class go, when the project keeps no more of them. */
export async function retireOldest(
  tx: DatabaseTransaction,
  { project_id, environment_class_id }: Pick<PrebuildRow, 'project_id' | 'environment_class_id'>,
): Promise<void> {
  const project = await projects.readById(tx, project_id)
  const keep = (project === undefined ? null : specOf(project).prebuilds?.keep) ?? 3
  const completed = await tx
    .selectFrom('prebuilds')
    .select(['id', 'failed_boots as failedBoots'])
    .where('project_id', '=', project_id)
    .where('environment_class_id', '=', environment_class_id)
    .where('phase', '=', 'completed')
    .where('desired_phase', '=', 'completed')
    .orderBy('id', 'desc')
    .execute()
  const going = tooMany(completed, keep).map(({ id }) => id)
  for (const id of [...going].sort()) {
    const changed = await prebuilds.changeSpec(tx, id, { desired_phase: 'deleted' })
    await recordEvent(tx, 'updated', toPrebuild(changed, null))
  }
  await wakeAll(tx, 'prebuild', going)
}
