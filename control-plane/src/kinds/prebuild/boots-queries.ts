import { speaksAgainstHost } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { OtherBoot, PrebuiltBoot } from './boots.decide.ts'
import type { PrebuildRow } from './table.ts'

type Prebuild = Pick<PrebuildRow, 'id' | 'project_id' | 'environment_class_id'>

const bootsLookedAt = 10
const othersLookedAt = 20

/** How the newest machines booted that were given the prebuild, the newest first. */
export async function readBoots(tx: DatabaseTransaction, prebuild: Prebuild): Promise<PrebuiltBoot[]> {
  const { id, project_id, environment_class_id } = prebuild
  const rows = await tx
    .selectFrom('environments')
    .select(['status', 'boot_ended_at', 'runner_id'])
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
  const boots: PrebuiltBoot[] = []
  for (const { status, boot_ended_at, runner_id } of rows) {
    if (boot_ended_at === null) continue
    const { readyAt, startedFrom, failure } = status
    boots.push({
      isReady: readyAt !== null,
      startedFrom: startedFrom ?? null,
      failure,
      endedAt: boot_ended_at,
      othersSince:
        readyAt !== null || runner_id === null
          ? []
          : await readOthers(tx, prebuild, runner_id, boot_ended_at),
    })
  }
  return boots
}

/** Machines on the host whose boot ended since, and that have nothing of the prebuild: those that failed by the host's fault. */
async function readOthers(
  tx: DatabaseTransaction,
  { id }: Prebuild,
  runnerId: string,
  since: Date,
): Promise<OtherBoot[]> {
  const rows = await tx
    .selectFrom('environments')
    .select(['status', 'boot_ended_at'])
    .where('runner_id', '=', runnerId)
    .where('boot_ended_at', '>', since)
    .where(sql<boolean>`source->'prebuild'->>'id' IS DISTINCT FROM ${id}`)
    // Templates are booted from its disk.
    .where(sql<boolean>`(owner_kind = 'prebuild' AND owner_id = ${id}) IS NOT TRUE`)
    .orderBy('boot_ended_at')
    .limit(othersLookedAt)
    .execute()
  return rows.flatMap(({ status: { readyAt, failure }, boot_ended_at }) => {
    if (boot_ended_at === null || (readyAt === null && !speaksAgainstHost(failure))) return []
    return [{ isReady: readyAt !== null, endedAt: boot_ended_at }]
  })
}
