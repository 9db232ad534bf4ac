import { type Failure, type StartedFrom, speaksAgainstSnapshot } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { PrebuildRow } from './table.ts'

/** The end of the boot of a machine that was given the prebuild. */
export interface PrebuiltBoot {
  isReady: boolean
  startedFrom: Pick<StartedFrom, 'from'> | null
  failure: Failure | null
}

/**
 * How many machines in a row could not start from the prebuild. What failed for another reason says nothing. Records of
 * machines are forgotten in time: only a machine that could start from it lowers the count.
 */
export function countFailedBoots(newestFirst: readonly PrebuiltBoot[], counted: number): number {
  const judged = newestFirst.map(judge).filter((result) => result !== 'unrelated')
  const success = judged.indexOf('started')
  return success === -1 ? Math.max(counted, judged.length) : success
}

function judge({ isReady, startedFrom, failure }: PrebuiltBoot): 'started' | 'failed' | 'unrelated' {
  // Its runner took the image instead.
  if (startedFrom?.from === 'image') return 'failed'
  if (isReady) return 'started'
  return speaksAgainstSnapshot(failure) ? 'failed' : 'unrelated'
}

const bootsLookedAt = 10

export async function readBoots(
  tx: DatabaseTransaction,
  { id, project_id, environment_class_id }: Pick<PrebuildRow, 'id' | 'project_id' | 'environment_class_id'>,
): Promise<PrebuiltBoot[]> {
  const rows = await tx
    .selectFrom('environments')
    .select('status')
    // Members of pools, and prebuilds that stand on it.
    .where(
      sql<boolean>`owner_id IN (
        SELECT id FROM warm_pools WHERE project_id = ${project_id} AND environment_class_id = ${environment_class_id}
        UNION ALL
        SELECT id FROM prebuilds WHERE project_id = ${project_id} AND environment_class_id = ${environment_class_id})`,
    )
    .where('boot_ended_at', 'is not', null)
    .where(sql<boolean>`source->'prebuild'->>'id' = ${id}`)
    .orderBy('boot_ended_at', 'desc')
    .limit(bootsLookedAt)
    .execute()
  return rows.map(({ status: { readyAt, startedFrom, failure } }) => ({
    isReady: readyAt !== null,
    startedFrom: startedFrom ?? null,
    failure,
  }))
}
