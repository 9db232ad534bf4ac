import {
  type Address,
  type Deletion,
  type DesiredPhase,
  type Environment,
  type EnvironmentPhase,
  type Failure,
  type Identity,
  type MachineSource,
  type Pause,
  type ProvisioningPlan,
  type ReportedBinding,
  type RepositoryProcesses,
  type Restarts,
  type Resumed,
  type StartedFrom,
  type StepStatus,
  summarize,
} from '@hearth/contract'
import type { ColumnType, Generated, GeneratedAlways, JSONColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'
import type { MachineNeeds } from '../../placement/place.ts'
import type { StoredLife } from './life/life.ts'
import { lifeOf, toLifeStatus } from './life/status.ts'
import { listedSteps } from './listed-steps.ts'
import { type OwnerKind, toOwnerSpec } from './owner.ts'

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredEnvironmentStatus {
  address: Address | null
  identity: Identity | null
  steps: StepStatus[]
  placement: string | null
  readyAt: string | null
  failedAt: string | null
  failure: Failure | null
  observedSpecVersion: number
  /** What the machine said that it started from; absent before it did. */
  startedFrom?: StartedFrom | null
  /** Why it was not given what would have been quicker to start from; absent in those made before it came. */
  startReason?: string | null
  /** How it last went on after it was suspended; absent before it did. */
  resumed?: Resumed | null
  /** Absent before it was ever started again after a crash. */
  restarts?: Restarts | null
  /** How far it was bound to its claim, as its runner said; absent before it did. */
  binding?: ReportedBinding | null
  /** What the files of its repositories declare, as its runner read them; absent before it did. */
  declared?: RepositoryProcesses
  /** Reports of an older generation are about an earlier try and are refused. */
  leastGeneration: number
  /** The only runner on which it may be placed; absent where any will do. */
  wantedRunnerId?: string
  /** The runners it was placed on before, the earliest first: what they have sent of it is still its own. */
  formerRunnerIds?: string[]
}

/** The snapshot that a machine starts from. */
export interface StoredSource extends MachineSource {
  /** Why the order does not ask for the memory, although it was asked for; null where it does, or it was not. */
  memoryWithheld: string | null
  /** The prebuild that Hearth chose by itself; absent where somebody chose the snapshot. */
  prebuild?: { id: string; name: string }
  /** What the files of those repositories declare whose hooks it holds; absent where they declare nothing. */
  declared?: RepositoryProcesses | undefined
  /** The tasks that prebuilds run and that it holds, with the digest of what each did; absent where there are none. */
  ranTasks?: Readonly<Record<string, string>> | undefined
  /** The only runner on which it may be placed; absent where any that holds the snapshot will do. */
  runnerId?: string
}

export interface EnvironmentTable extends ResourceTable<{ plan: ProvisioningPlan }, StoredEnvironmentStatus> {
  project_id: string
  environment_class_id: string
  /** Both null for one that somebody asked for by itself. */
  owner_kind: OwnerKind | null
  owner_id: string | null
  runner_id: string | null
  claim_id: string | null
  /** The principal whose quotas it counts for; null for one that is kept ready and that nobody has claimed. */
  holder_id: string | null
  /**
   * How long it is kept after its boot has ended, and after each certificate; null when it is kept until it is deleted.
   */
  keep_seconds: number | null
  remove_at: Date | null
  /** When it first ran, or failed before that; null while it boots. */
  boot_ended_at: Date | null
  phase: EnvironmentPhase
  desired_phase: DesiredPhase
  unreachable: Generated<boolean>
  /** Why and since when its guest is paused; null while it is not. */
  paused: ColumnType<Pause | null, string | null | undefined, string | null>
  deadline: Date | null
  phase_since: ColumnType<Date, Date | undefined, Date>
  /** Fingerprint of everything it was made from: whoever keeps some ready replaces those of another one. */
  configuration: string
  /** The snapshot it starts from; null for its image. */
  source: ColumnType<StoredSource | null, string | null | undefined, string | null>
  /** The id in `source`. */
  source_snapshot_id: ColumnType<string | null, string | null | undefined, string | null>
  /** What its host has to have beside its size; null for nothing. */
  needs: ColumnType<MachineNeeds | null, string | null | undefined, never>
  /** When it ends that somebody has; null for what has no end. */
  life: ColumnType<StoredLife | null, string | null | undefined, string | null>
  /** The reason for its deletion; null while it is not to be deleted. */
  deletion: JSONColumnType<Deletion> | null
  /** Whether it has tasks or services, or its project declares some. */
  has_processes: Generated<boolean>
  /** Whether a route leads to it, or did. */
  has_routes: Generated<boolean>
  /** Whether a web app is on it. */
  has_web_app: Generated<boolean>
  /** Whether a volume is kept for it, or was. */
  has_volumes: Generated<boolean>
  report_epoch: Generated<number>
  report_sequence: Generated<string>
  virtual_cpus: GeneratedAlways<number>
  memory_mebibytes: GeneratedAlways<number>
  disk_gibibytes: GeneratedAlways<number>
}
/** Secret variables that are bound to the environments of claims. */
export interface ClaimSecretTable {
  claim_id: string
  name: string
  /** Encrypted; the context is claim id and name. */
  value: Buffer
}
export interface EnvironmentTables {
  environments: EnvironmentTable
  claim_secrets: ClaimSecretTable
}
/** A row as it is read: without its plan, so that what it costs does not grow with plans. */
export type EnvironmentRow = Pick<Selectable<EnvironmentTable>, (typeof environmentColumns)[number]>
/** With it: for whoever shows one environment. */
export type PlannedEnvironmentRow = EnvironmentRow & Pick<Selectable<EnvironmentTable>, 'spec'>

/** All columns but the plan. */
export const environmentColumns = [
  'id',
  'organization_id',
  'name',
  'creator',
  'labels',
  'spec_version',
  'status',
  'status_version',
  'created_at',
  'updated_at',
  'project_id',
  'environment_class_id',
  'owner_kind',
  'owner_id',
  'keep_seconds',
  'claim_id',
  'holder_id',
  'runner_id',
  'remove_at',
  'phase',
  'desired_phase',
  'unreachable',
  'paused',
  'deadline',
  'deletion',
  'life',
  'configuration',
  'source',
  'needs',
  'boot_ended_at',
  'phase_since',
  'has_processes',
  'has_routes',
  'has_web_app',
  'has_volumes',
  'report_epoch',
  'report_sequence',
  'virtual_cpus',
  'memory_mebibytes',
  'disk_gibibytes',
] as const satisfies readonly (keyof EnvironmentTable)[]

export const emptyStatus: StoredEnvironmentStatus = {
  address: null,
  identity: null,
  steps: [],
  placement: null,
  readyAt: null,
  failedAt: null,
  failure: null,
  observedSpecVersion: 0,
  leastGeneration: 0,
}

/** With its plan: for whoever asks for this one. */
export function toEnvironment(
  row: PlannedEnvironmentRow,
): Environment & { spec: { plan: ProvisioningPlan } } {
  const environment = toResource(row, row.status.steps)
  return { ...environment, spec: { ...environment.spec, plan: row.spec.plan } }
}

/**
 * Without its plan, which is the same each time and larger than all the rest, and with the end of what its steps
 * printed: for lists and events.
 */
export function toListedEnvironment(row: EnvironmentRow): Environment {
  return toResource(row, listedSteps(row.status.steps))
}

function toResource(row: EnvironmentRow, steps: StepStatus[]): Environment {
  const { address, identity, placement, readyAt, failure, observedSpecVersion } = row.status
  return {
    kind: 'Environment',
    metadata: metadataOf(row),
    spec: {
      desiredPhase: row.desired_phase,
      projectId: row.project_id,
      environmentClassId: row.environment_class_id,
      ...toOwnerSpec(row),
      source: row.source === null ? null : { snapshotId: row.source.snapshotId, memory: row.source.memory },
      planDigest: row.configuration,
    },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      runnerId: row.runner_id,
      claimId: row.claim_id,
      unreachable: row.unreachable,
      paused: row.paused,
      address,
      identity,
      steps,
      summary: summarize(steps, failure),
      placement,
      startedFrom: startedFrom(row),
      resumed: row.status.resumed ?? null,
      restarts: row.status.restarts ?? null,
      readyAt,
      removeAt: row.remove_at?.toISOString() ?? null,
      life: toLifeStatus(lifeOf(row)),
      deletion: row.deletion,
      observedSpecVersion,
      failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}

/** With the reason why it was not even asked for what would have been quicker, which its runner does not know. */
function startedFrom({ status, source }: EnvironmentRow): StartedFrom | null {
  const told = status.startedFrom ?? null
  if (told === null) return null
  return { ...told, reason: told.reason ?? source?.memoryWithheld ?? status.startReason ?? null }
}
