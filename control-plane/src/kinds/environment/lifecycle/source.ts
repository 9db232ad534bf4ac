import type { ProvisioningPlan, SnapshotMachine, SnapshotStatus } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Selectable } from 'kysely'
import { type Caller, mayEnter } from '../../../api/caller.ts'
import { found } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { Schema } from '../../../database/schema.ts'
import type { StoredSource } from '../table.ts'
import { heldDeclared } from './declared.ts'
import { heldSteps } from './held-steps.ts'

export type SourceRow = Pick<
  Selectable<Schema['snapshots']>,
  'id' | 'name' | 'phase' | 'desired_phase' | 'status' | 'project_id' | 'holder_id' | 'environment_id'
>

/**
 * A snapshot of the caller's organization that may be started from, by its id: it is ready, and cannot begin to be
 * deleted until the transaction ends. Throws `not_found`, `forbidden` where it is of a machine that the caller may not
 * enter, and `conflict` where it is not ready.
 */
export async function requireSource(
  tx: DatabaseTransaction,
  caller: Caller,
  snapshotId: string,
): Promise<SourceRow> {
  const row = await tx
    .selectFrom('snapshots')
    .select(['id', 'name', 'phase', 'desired_phase', 'status', 'project_id', 'holder_id', 'environment_id'])
    .where('organization_id', '=', caller.organizationId)
    .where('id', '=', snapshotId)
    .forShare()
    .executeTakeFirst()
  const snapshot = found(row, 'snapshot', snapshotId)
  const { name, phase, holder_id, desired_phase } = snapshot
  if (holder_id !== null && !mayEnter(caller, holder_id)) {
    const only = 'only who made it and administrators start from it'
    throw new HearthError(
      'forbidden',
      `snapshot ${name} is of an environment that was not open to all: ${only}`,
    )
  }
  if (phase !== 'ready' || desired_phase !== 'ready') {
    const state = desired_phase === 'deleted' ? 'being deleted' : phase
    throw new HearthError(
      'conflict',
      `snapshot ${name} is ${state}: an environment starts only from a ready one`,
    )
  }
  return snapshot
}

/** What an environment that starts from a snapshot is made with. */
export async function startFrom(
  tx: DatabaseTransaction,
  caller: Caller,
  wanted: { snapshotId: string; memory: boolean },
  { project, plan }: { project: { id: string; name: string }; plan: ProvisioningPlan },
): Promise<{ plan: ProvisioningPlan; source: StoredSource }> {
  const snapshot = await requireSource(tx, caller, wanted.snapshotId)
  if (snapshot.project_id !== project.id)
    throw new HearthError('unprocessable', `snapshot ${snapshot.name} is not of project ${project.name}`)
  const { machine, held, memory } = snapshot.status
  if (plan.diskGibibytes < machine.diskGibibytes) {
    const sizes = `of ${plan.diskGibibytes} GiB is smaller than its disk of ${machine.diskGibibytes} GiB`
    throw new HearthError(
      'unprocessable',
      `snapshot ${snapshot.name} does not fit the class: a disk ${sizes}`,
    )
  }
  // Its layers stand on the image of then.
  const made = { ...plan, image: machine.image }
  const steps = heldSteps(made, held)
  return {
    plan: made,
    source: {
      snapshotId: snapshot.id,
      memory: wanted.memory,
      incarnation: 1,
      // The variables and secrets are those of now, which costs a moment.
      heldSteps: steps.filter((key) => key !== 'set_env_vars'),
      ...heldDeclared(snapshot.status, steps),
      onlyFromSnapshot: true,
      memoryWithheld: wanted.memory ? memoryFault(snapshot.name, { machine, memory }, made) : null,
    },
  }
}

/** Why a machine made by this plan cannot resume from the memory, as far as the control plane knows; null where it may. */
export function memoryFault(
  name: string,
  { machine, memory }: { machine: SnapshotMachine; memory: SnapshotStatus['memory'] },
  plan: Pick<ProvisioningPlan, 'virtualCpus' | 'memoryMebibytes'>,
): string | null {
  if (memory?.kept !== true) {
    const because = memory?.reason == null ? '' : `: ${memory.reason}`
    return `snapshot ${name} holds no memory${because}`
  }
  const same = machine.virtualCpus === plan.virtualCpus && machine.memoryMebibytes === plan.memoryMebibytes
  if (same) return null
  const size = (of: typeof plan) => `${of.virtualCpus} vCPU and ${of.memoryMebibytes} MiB`
  return `its class has ${size(plan)}, the memory is of a machine with ${size(machine)}`
}
