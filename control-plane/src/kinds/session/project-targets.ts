import type { SessionTarget } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { prebuilds, showPrebuilds } from '../prebuild/index.ts'
import { showWarmPools, warmPools } from '../warm-pool/index.ts'
import { targetOfPool, targetOfPrebuild } from './pool-targets.ts'
import type { SessionRow } from './table.ts'

/** More than a project has of each at a time; the newest prebuilds count. */
const most = { pools: 64, prebuilds: 32 }

/** The pools of the session's project, and its prebuilds that are made or were made since the session began. */
export async function readProjectTargets(
  queryable: Queryable,
  { organization_id: organizationId, project_id, status }: SessionRow,
  now: Date,
): Promise<SessionTarget[]> {
  if (project_id === null) return []
  const before = new Map(status.targets.map(({ name, state }) => [name, state]))
  const rows = await warmPools.list(queryable, { organizationId, limit: most.pools }, { project_id })
  const pools = await showWarmPools(queryable, rows.slice(0, most.pools))
  const ids = await queryable
    .selectFrom('prebuilds')
    .select('id')
    .where('project_id', '=', project_id)
    .where('phase', 'not in', ['deleting', 'deleted'])
    .where((where) =>
      where.or([where('ended_at', 'is', null), where('ended_at', '>=', new Date(status.startedAt))]),
    )
    .orderBy('id', 'desc')
    .limit(most.prebuilds)
    .execute()
  const made = []
  for (const { id } of ids) made.push((await prebuilds.readById(queryable, id)) ?? [])
  const shown = await showPrebuilds(queryable, made.flat())
  return [
    ...pools.map((pool) => targetOfPool(pool, before.get(`${pool.metadata.name}:update`), now)),
    ...shown.map((prebuild) =>
      targetOfPrebuild(
        prebuild,
        pools
          .filter(({ spec }) => spec.environmentClassId === prebuild.spec.environmentClassId)
          .map(({ metadata }) => metadata.name),
      ),
    ),
  ]
}
