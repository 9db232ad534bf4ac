import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { buildPlan, prebuildFor } from '../../environment/index.ts'
import { snapshots } from '../../snapshot/index.ts'
import { readSnapshot } from '../snapshotting.ts'
import { type PrebuildRow, wholeTemplate } from '../table.ts'
import type { SeenTemplate, SeenTemplates } from './decide.ts'

/** What the templates of a complete prebuild are, and where they are wanted. */
export async function lookAtTemplates(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  now: Date,
): Promise<SeenTemplates> {
  const templates: SeenTemplate[] = []
  for (const stored of row.status.templates) {
    const template = wholeTemplate(stored)
    const { environmentId, snapshotId } = template
    templates.push({
      template,
      machine: environmentId === null ? null : await readMachine(tx, environmentId),
      snapshot: snapshotId === null ? null : await readMemory(tx, snapshotId),
      unusable: snapshotId === null ? null : await readUnusable(tx, snapshotId),
    })
  }
  return { wantedRunnerIds: await runnersWanting(tx, row), templates, now }
}

async function readMachine(tx: DatabaseTransaction, id: string): Promise<SeenTemplate['machine']> {
  const machine = await tx
    .selectFrom('environments')
    .select(['phase', 'desired_phase', 'unreachable', 'status'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (machine === undefined) return null
  const { phase, desired_phase, unreachable, status } = machine
  return { phase, going: desired_phase === 'deleted', unreachable, failure: status.failure }
}

async function readMemory(tx: DatabaseTransaction, id: string): Promise<SeenTemplate['snapshot']> {
  const [seen, row] = [await readSnapshot(tx, id), await snapshots.readById(tx, id)]
  return seen === null ? null : { ...seen, memory: row?.status.memory ?? null }
}

/** What a machine said that was to go on from the memory, and booted from its disk. */
async function readUnusable(tx: DatabaseTransaction, snapshotId: string): Promise<string | null> {
  const machine = await tx
    .selectFrom('environments')
    .select(sql<string | null>`status->'startedFrom'->>'reason'`.as('reason'))
    .where('source_snapshot_id', '=', snapshotId)
    .where('phase', '<>', 'deleted')
    .where(sql<boolean>`source->>'memory' = 'true' AND source->>'memoryWithheld' IS NULL`)
    .where(sql<boolean>`status->'startedFrom'->>'from' = 'disk'`)
    .orderBy('id')
    .executeTakeFirst()
  return machine === undefined ? null : (machine.reason ?? 'a machine could not go on from it')
}

/**
 * The runners that hold its disk, where a pool's machines start from this prebuild. A pool that keeps none ready, or whose
 * members are all taken, has its claims wait for a start: those need the memory most.
 */
async function runnersWanting(tx: DatabaseTransaction, row: PrebuildRow): Promise<string[]> {
  if (row.snapshot_id === null) return []
  const pools = await tx
    .selectFrom('warm_pools')
    .innerJoin('projects', 'projects.id', 'warm_pools.project_id')
    .innerJoin('environment_classes', 'environment_classes.id', 'warm_pools.environment_class_id')
    .select(['warm_pools.spec', 'projects.spec as project_spec', 'environment_classes.spec as class_spec'])
    .where('warm_pools.project_id', '=', row.project_id)
    .where('warm_pools.environment_class_id', '=', row.environment_class_id)
    .where('warm_pools.phase', '<>', 'deleting')
    .where('warm_pools.cleared', '=', false)
    .where('projects.phase', '=', 'active')
    .where(sql<boolean>`(warm_pools.spec->>'enabled')::boolean`)
    .orderBy('warm_pools.id')
    .execute()
  for (const { spec, project_spec, class_spec } of pools) {
    const branch = spec.branch ?? null
    const wanted = {
      project: { id: row.project_id, spec: project_spec },
      environmentClassId: row.environment_class_id,
      plan: buildPlan(project_spec, class_spec, { setup: spec.setup, branch }),
      branch,
    }
    // Its memory stays while it is not known whether machines fail by its fault.
    const { chosen } = await prebuildFor(tx, wanted, { inDoubt: true })
    if (chosen?.id === row.id) return readHolders(tx, row.snapshot_id)
  }
  return []
}

async function readHolders(tx: DatabaseTransaction, snapshotId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('snapshot_holders')
    .innerJoin('runners', 'runners.id', 'snapshot_holders.runner_id')
    .select('runner_id')
    .where('snapshot_id', '=', snapshotId)
    .where('snapshot_holders.phase', '=', 'present')
    // On one that is away for a while its memory stays.
    .where('runners.phase', '<>', 'deleted')
    .orderBy('runner_id')
    .execute()
  return rows.map(({ runner_id }) => runner_id)
}
