import type { QuotaLimits } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { MachineNeeds } from '../../placement/place.ts'
import {
  buildPlan,
  createEnvironment,
  desireDeletion,
  environments,
  heldDeclared,
  heldSteps,
  memoryFault,
} from '../environment/index.ts'
import { environmentClasses } from '../environment-class/index.ts'
import { keptProject, specOf } from '../project/index.ts'
import { readLimits, takeRoom } from '../quota/index.ts'
import type { SnapshotRow } from '../snapshot/index.ts'
import type { PipelineRow } from './table.ts'

/** What the project of their machines is kept for. */
const keptFor = 'pipelines'

/** What a machine starts from: what was compiled, on the host of the volume where that has one. */
export interface MachineSource {
  snapshot: SnapshotRow
  runnerId: string | null
}

interface MadeFor {
  quotas: QuotaLimits
  needs: MachineNeeds
  runnerId?: string | null
  now: Date
}

/**
 * Makes a machine that is the pipeline's, on any host or the one that is given, from the image of its class or from a snapshot; or
 * says what that waits for.
 */
export async function makeMachine(
  tx: DatabaseTransaction,
  row: PipelineRow,
  source: MachineSource | null,
  { quotas, needs, runnerId = null, now }: MadeFor,
): Promise<{ id: string } | { waitsFor: string }> {
  const organizationId = row.organization_id
  const project = await keptProject(tx, organizationId, keptFor)
  if (project.phase !== 'active')
    return { waitsFor: `project ${project.name}, which is being deleted, to be gone` }
  const environmentClass = await environmentClasses.readById(tx, row.environment_class_id)
  if (environmentClass === undefined) return { waitsFor: 'an environment class: its own was deleted' }
  const limits = await readLimits(tx, quotas, organizationId)
  const room = await takeRoom(tx, { organizationId, limits }, environmentClass.spec, 1)
  if (room.count === 0) return { waitsFor: 'room in the quotas of its organization' }
  const spec = specOf(project)
  const owner = { kind: 'pipeline' as const, id: row.id, setup: [], branch: null }
  const started = source === null ? {} : startFrom(source, buildPlan(spec, environmentClass.spec, owner))
  const machine = await createEnvironment(tx, {
    ...started,
    project: { ...project, spec },
    environmentClass,
    owner,
    nameStem: 'pipeline',
    claimId: null,
    creator: null,
    limits: null,
    runnerId,
    needs,
    now,
  })
  return { id: machine.id }
}

/** From its memory where the host has it; its layers stand on the image of then. */
function startFrom({ snapshot, runnerId }: MachineSource, wanted: ReturnType<typeof buildPlan>) {
  const { machine, held, memory } = snapshot.status
  const plan = { ...wanted, image: machine.image }
  const steps = heldSteps(plan, held)
  return {
    plan,
    source: {
      snapshotId: snapshot.id,
      memory: true,
      incarnation: 1,
      heldSteps: steps.filter((key) => key !== 'set_env_vars'),
      ...heldDeclared(snapshot.status, steps),
      onlyFromSnapshot: true,
      memoryWithheld: memoryFault(snapshot.name, { machine, memory }, plan),
      ...(runnerId === null ? {} : { runnerId }),
    },
  }
}

/** Has the machine of a pipeline removed. */
export async function returnMachine(
  tx: DatabaseTransaction,
  { environment_id }: Pick<PipelineRow, 'environment_id'>,
  now: Date,
): Promise<void> {
  if (environment_id === null) return
  const machine = await environments.lockById(tx, environment_id)
  if (machine !== undefined && machine.phase !== 'deleted')
    await desireDeletion(tx, machine, { reason: 'pipeline_over' }, now)
}
