import type { ProvisioningPlan, QuotaLimits } from '@hearth/contract'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { place } from '../../../placement/place.ts'
import { createEnvironment, readFleet } from '../../environment/index.ts'
import { projects } from '../../project/index.ts'
import { readLimits, takeRoom } from '../../quota/index.ts'
import type { PrebuildRow } from '../table.ts'

/**
 * Makes the machine of a template on its runner: from the prebuild's disk, told no variable and no secret, since its memory
 * goes to whoever starts from it. Returns null where the quotas or the runner have no room for it now.
 */
export async function bootTemplate(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  runnerId: string,
  quotas: QuotaLimits,
  now: Date,
): Promise<string | null> {
  const project = await projects.readById(tx, row.project_id)
  const environmentClass = await tx
    .selectFrom('environment_classes')
    .selectAll()
    .where('id', '=', row.environment_class_id)
    .executeTakeFirst()
  if (project === undefined || environmentClass === undefined || row.snapshot_id === null) return null
  const { image, virtualCpus, memoryMebibytes, diskGibibytes } = environmentClass.spec
  const organizationId = row.organization_id
  const wanted = {
    ...environmentClass.spec,
    awaited: true,
    source: {
      name: `prebuild ${row.name}`,
      phase: 'ready' as const,
      runnerIds: [runnerId],
      memoryRunnerIds: [],
      isRequired: true,
      copies: null,
    },
    runnerId: null,
    needs: null,
  }
  if (place(wanted, await readFleet(tx, organizationId, now)).runnerId === null) return null
  const limits = await readLimits(tx, quotas, organizationId)
  const room = await takeRoom(tx, { organizationId, limits }, environmentClass.spec, 1)
  if (room.count === 0) return null
  const plan: ProvisioningPlan = {
    ...{ image, virtualCpus, memoryMebibytes, diskGibibytes },
    ...{ repositories: [], variables: {}, secretNames: [], projectSetup: [], warmPoolSetup: [] },
  }
  const machine = await createEnvironment(tx, {
    project,
    environmentClass,
    plan,
    source: {
      snapshotId: row.snapshot_id,
      memory: false,
      incarnation: 1,
      heldSteps: [],
      onlyFromSnapshot: true,
      memoryWithheld: null,
      runnerId,
    },
    owner: { kind: 'prebuild', id: row.id, setup: [], branch: null },
    nameStem: `${project.name}-template`,
    claimId: null,
    creator: null,
    limits: null,
    now,
  })
  return machine.id
}
