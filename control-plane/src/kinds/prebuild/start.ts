import type { QuotaLimits } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import {
  buildPlan,
  createEnvironment,
  prebuiltConfigurationOf,
  prebuiltStart,
  projectToBuild,
} from '../environment/index.ts'
import { hasPrebuildTasks } from '../process/index.ts'
import { projects, specOf } from '../project/index.ts'
import { readLimits, takeRoom } from '../quota/index.ts'
import { movePrebuild } from './phase.ts'
import type { PrebuildRow } from './table.ts'

/**
 * Makes the machine that a prebuild is built on: from the disk of the last good one, all of whose steps are run again, or
 * from the image. Without room in the organization's quotas it stays as it is.
 */
export async function startPrebuild(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  quotas: QuotaLimits,
  now: Date,
): Promise<PrebuildRow> {
  const project = await projects.readById(tx, row.project_id)
  const environmentClass = await tx
    .selectFrom('environment_classes')
    .selectAll()
    .where('id', '=', row.environment_class_id)
    .executeTakeFirst()
  if (project === undefined || environmentClass === undefined) {
    const what = project === undefined ? 'project' : 'environment class'
    const failure = { code: 'internal' as const, message: `its ${what} was deleted before it began` }
    return movePrebuild(tx, row, { phase: 'failed', failure, now })
  }
  const organizationId = row.organization_id
  const limits = await readLimits(tx, quotas, organizationId)
  const room = await takeRoom(tx, { organizationId, limits }, environmentClass.spec, 1)
  if (room.count === 0) return row
  const spec = projectToBuild(specOf(project))
  const owner = { kind: 'prebuild' as const, id: row.id, setup: [], branch: row.spec.branch }
  const plan = buildPlan(spec, environmentClass.spec, owner)
  const configuration = prebuiltConfigurationOf(plan)
  const { environment_class_id: environmentClassId } = row
  const { branch, incremental } = row.spec
  const wanted = { project: { id: project.id, spec }, environmentClassId, plan, branch }
  const base = incremental ? await prebuiltStart(tx, wanted) : null
  const machine = await createEnvironment(tx, {
    ...(base?.source === undefined ? {} : { source: { ...base.source, memory: false, heldSteps: [] } }),
    project: { ...project, spec },
    environmentClass,
    owner,
    nameStem: `${project.name}-prebuild`,
    claimId: null,
    creator: null,
    limits: null,
    needs: {
      work: hasPrebuildTasks(plan) ? ['process', 'snapshot'] : ['snapshot'],
      volumeMebibytes: 0,
    },
    now,
  })
  return movePrebuild(tx, row, {
    phase: 'starting',
    columns: { environment_id: machine.id, configuration },
    now,
  })
}
