import type { ProjectSpec, ProvisioningPlan, RepositoryProcesses } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import { heldDeclared } from '../lifecycle/declared.ts'
import { heldSteps } from '../lifecycle/held-steps.ts'
import type { StoredSource } from '../table.ts'
import { type Built, choosePrebuild, type PrebuildChoice } from './choose.ts'
import { prebuiltConfigurationOf } from './configuration.ts'

/** What is to be made, and of which project and class. */
export interface ToStart {
  project: { id: string; spec: Pick<ProjectSpec, 'prebuilds'> }
  environmentClassId: string
  plan: ProvisioningPlan
  branch: string | null
}

/** What a machine that Hearth makes by itself starts from: a prebuild, or the reason why none. */
export interface PrebuiltStart {
  source?: StoredSource
  startReason: string | null
}

/** Chooses the prebuild. What of it a machine really starts from is known when it is placed. */
export async function prebuiltStart(queryable: Queryable, wanted: ToStart): Promise<PrebuiltStart> {
  const { chosen, reason } = await prebuildFor(queryable, wanted)
  if (chosen?.snapshot == null) return { startReason: reason ?? noneYet(wanted.project.spec) }
  const { id, name, snapshot } = chosen
  const held = heldSteps(wanted.plan, snapshot.held)
  const source = {
    snapshotId: snapshot.id,
    memory: true,
    incarnation: 1,
    heldSteps: held,
    ...heldDeclared(snapshot, held),
    onlyFromSnapshot: false,
    memoryWithheld: null,
    prebuild: { id, name },
  }
  return { source, startReason: reason }
}

const noneYet = ({ prebuilds }: Pick<ProjectSpec, 'prebuilds'>) =>
  prebuilds === null ? null : 'no prebuild of its project and class is complete yet'

/** The prebuild that machines start from; with `inDoubt` also one that is not used only until more is known of it. */
export async function prebuildFor(
  queryable: Queryable,
  { project, environmentClassId, plan, branch }: ToStart,
  { inDoubt = false }: { inDoubt?: boolean } = {},
): Promise<PrebuildChoice> {
  const built = await readBuilt(queryable, project.id, environmentClassId)
  const known = inDoubt ? built.map((one) => ({ ...one, unexplainedBoots: 0 })) : built
  return choosePrebuild({ configuration: prebuiltConfigurationOf(plan), branch }, known)
}

/** A project keeps fewer of a class. */
const mostConsidered = 20

async function readBuilt(queryable: Queryable, projectId: string, classId: string): Promise<Built[]> {
  const rows = await queryable
    .selectFrom('prebuilds')
    .leftJoin('snapshots', 'snapshots.id', 'prebuilds.snapshot_id')
    .select([
      'prebuilds.id',
      'prebuilds.name',
      'prebuilds.configuration',
      'prebuilds.failed_boots',
      'prebuilds.unexplained_boots',
      'prebuilds.snapshot_id',
      'snapshots.phase as snapshot_phase',
      'snapshots.desired_phase as snapshot_desired_phase',
      sql<string | null>`prebuilds.spec->>'branch'`.as('branch'),
      sql<Record<string, string> | null>`snapshots.status->'held'`.as('held'),
      sql<RepositoryProcesses | null>`snapshots.status->'declared'`.as('declared'),
      sql<Record<string, string> | null>`snapshots.status->'ranTasks'`.as('ran_tasks'),
      sql<boolean>`EXISTS (SELECT FROM snapshot_holders AS holder
        WHERE holder.snapshot_id = prebuilds.snapshot_id AND holder.phase = 'present')`.as('is_held'),
    ])
    .where('prebuilds.project_id', '=', projectId)
    .where('prebuilds.environment_class_id', '=', classId)
    .where('prebuilds.phase', '=', 'completed')
    .where('prebuilds.desired_phase', '=', 'completed')
    .orderBy('prebuilds.id', 'desc')
    .limit(mostConsidered)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    branch: row.branch,
    configuration: row.configuration,
    failedBoots: row.failed_boots,
    unexplainedBoots: row.unexplained_boots,
    snapshot:
      row.snapshot_id === null || row.snapshot_phase === null
        ? null
        : {
            id: row.snapshot_id,
            isReady: row.snapshot_phase === 'ready' && row.snapshot_desired_phase === 'ready',
            held: row.held ?? {},
            declared: row.declared ?? undefined,
            ranTasks: row.ran_tasks ?? undefined,
          },
    isHeld: row.is_held,
  }))
}
