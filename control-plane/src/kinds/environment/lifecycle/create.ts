import { environmentPhaseTable, type ProvisioningPlan, type QuotaLimits } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { Insertable, Selectable } from 'kysely'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { MachineNeeds } from '../../../placement/place.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvents } from '../../../resource/record.ts'
import type { EnvironmentClassTable } from '../../environment-class/table.ts'
import { insertJobs } from '../../job/index.ts'
import type { ProjectRow } from '../../project/index.ts'
import { requireRoomForMachine } from '../../quota/index.ts'
import type { StoredLife } from '../life/life.ts'
import type { EnvironmentOwner } from '../owner.ts'
import {
  type EnvironmentRow,
  type EnvironmentTable,
  emptyStatus,
  environmentColumns,
  type StoredSource,
  toListedEnvironment,
} from '../table.ts'
import { declaresProcesses } from './declared.ts'
import { buildPlan, configurationOf, type OwnerSetup } from './plan.ts'

export interface NewEnvironment {
  project: Pick<ProjectRow, 'id' | 'organization_id' | 'name' | 'spec'>
  environmentClass: Pick<Selectable<EnvironmentClassTable>, 'id' | 'spec'>
  owner: (EnvironmentOwner & OwnerSetup) | null
  /** How long the environment is kept after its boot has ended; without it, until it is deleted. */
  keepSeconds?: number
  claimId: string | null
  /** The principal whose quotas it counts for; null for one that is kept ready until it is claimed. */
  creator: string | null
  /** Against which its place is counted, also for whoever holds it from the start; null where that has been done. */
  limits: QuotaLimits | null
  name?: string | undefined
  /** What comes before the end of its id in a name that is not given; without it the name of its project. */
  nameStem?: string
  labels?: Record<string, string>
  /** The snapshot it starts from; without it, its image. */
  source?: StoredSource
  /** Why it does not start from what would be quicker. */
  startReason?: string | null
  /** What it is made with, where that is not what its project, class and owner say now. */
  plan?: ProvisioningPlan
  /** The only runner on which it may be placed; without it, or with null, any. */
  runnerId?: string | null
  /** What its host has to have beside its size; without it nothing. */
  needs?: MachineNeeds
  /** For whoever has it from the start; without it, it has no end. */
  life?: StoredLife | null
  now: Date
}

/** Inserts one environment; its reconciler does the rest. */
export async function createEnvironment(
  tx: DatabaseTransaction,
  created: NewEnvironment,
): Promise<EnvironmentRow> {
  const { limits, project } = created
  if (limits !== null) {
    const accounts = { organizationId: project.organization_id, principalId: created.creator, limits }
    await requireRoomForMachine(tx, accounts, planOf(created))
  }
  const [row] = await createEnvironments(tx, { ...created, limits: null }, 1)
  if (row === undefined) throw new Error('an environment was inserted and PostgreSQL did not return it')
  await wake(tx, 'environment', row.id)
  return row
}

/**
 * Creates `count` environments, one or more, with as many statements as one. Their quotas must have been checked; the
 * caller places them at once, or wakes them.
 */
export async function createEnvironments(
  tx: DatabaseTransaction,
  created: NewEnvironment & { limits: null },
  count: number,
): Promise<EnvironmentRow[]> {
  const values = Array.from({ length: count }, () => toValues(created))
  const rows = await tx.insertInto('environments').values(values).returning(environmentColumns).execute()
  const organizationId = created.project.organization_id
  const subject = { organizationId, operation: 'environment.provision', kind: 'Environment' } as const
  const entry = { time: created.now.toISOString(), level: 'info', message: 'waiting for a runner' } as const
  const jobs = await insertJobs(
    tx,
    rows.map(({ id }) => ({ ...subject, id })),
    entry,
  )
  await recordEvents(tx, [
    ...jobs.map((job) => ({ verb: 'created' as const, job })),
    ...rows.map((row) => ({ verb: 'created' as const, resource: toListedEnvironment(row) })),
  ])
  return rows
}

function planOf({ project, environmentClass, owner, plan }: NewEnvironment): ProvisioningPlan {
  return plan ?? buildPlan(project.spec, environmentClass.spec, owner)
}

function toValues(created: NewEnvironment): Insertable<EnvironmentTable> {
  const { project, environmentClass, owner, now } = created
  const id = newId()
  const plan = planOf(created)
  return {
    id,
    organization_id: project.organization_id,
    // The end of a UUIDv7 is random; its start is a time, equal for environments created together.
    name: created.name ?? `${created.nameStem ?? project.name}-${id.slice(-6)}`,
    creator: created.creator,
    labels: JSON.stringify(created.labels ?? {}),
    spec: JSON.stringify({ plan }),
    status: JSON.stringify({
      ...{ ...emptyStatus, startReason: created.startReason ?? null },
      ...(created.runnerId == null ? {} : { wantedRunnerId: created.runnerId }),
    }),
    project_id: project.id,
    environment_class_id: environmentClass.id,
    owner_kind: owner?.kind ?? null,
    owner_id: owner?.id ?? null,
    keep_seconds: created.keepSeconds ?? null,
    claim_id: created.claimId,
    holder_id: created.creator,
    runner_id: null,
    phase: 'pending',
    desired_phase: 'running',
    deadline: new Date(now.getTime() + (environmentPhaseTable.pending.deadlineSeconds ?? 0) * 1000),
    configuration: configurationOf(plan),
    source: created.source === undefined ? null : JSON.stringify(created.source),
    source_snapshot_id: created.source?.snapshotId ?? null,
    needs: created.needs === undefined ? null : JSON.stringify(created.needs),
    life: created.life == null ? null : JSON.stringify(created.life),
    has_processes: plan.processes !== undefined || declaresProcesses(created.source?.declared ?? {}),
  }
}
