import {
  noProgramError,
  type Pipeline,
  type PipelineDetails,
  type PipelineError,
  type PipelineEvent,
  type PipelinePhase,
  type PipelineProgramError,
  type PipelineProgramStatus,
  type PipelineProgramText,
  type PipelineResources,
  type PipelineResourcesDesired,
  type PipelineRuntime,
  type PipelineRuntimeDesired,
  type PipelineSpec,
  type PipelineStatuses,
  type PipelineStorage,
} from '@hearth/contract'
import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

/** What the spec column holds; what is wanted of its machine and its runtime are columns of their own. */
export type StoredPipelineSpec = Omit<PipelineSpec, 'environmentClassId' | 'desired' | 'desiredRuntime'>

/** What the status column holds; the statuses themselves are columns of their own. */
export interface StoredPipelineStatus {
  resourcesDetails: unknown
  runtimeDetails: unknown
  storageDetails: unknown
  programError: PipelineProgramError
  deployment: { id: string; environmentId: string | null } | null
  error: PipelineError | null
  since: Pipeline['status']['since']
  version: number
  refreshVersion: number
  programVersion: number
}

/** What its reconciler alone has to know. */
export interface StoredPipelineWork {
  /** The last line of its program's journal that was taken; null before the first. */
  journal: { run: number; offset: number } | null
  /** How its program said last that it is. */
  told: { runtime: PipelineRuntime; details: unknown } | null
  bootstrap: { silentBootstrap: boolean; concurrentBootstrap: boolean }
  /** Whether somebody approved that the changed program starts anew. */
  isApproved: boolean
  /** What its toolchain does to compile the present program. */
  tasks: ('check' | 'build')[]
  /** What it waits for while it has no machine. */
  waitsFor: string | null
}
export const noPipelineWork: StoredPipelineWork = {
  journal: null,
  told: null,
  bootstrap: { silentBootstrap: false, concurrentBootstrap: false },
  isApproved: false,
  tasks: [],
  waitsFor: null,
}

export interface PipelineTable extends ResourceTable<StoredPipelineSpec, StoredPipelineStatus> {
  environment_class_id: string
  phase: PipelinePhase
  deadline: Date | null
  resources: PipelineResources
  desired: PipelineResourcesDesired
  runtime: PipelineRuntime | null
  desired_runtime: PipelineRuntimeDesired | null
  program: PipelineProgramStatus
  storage: PipelineStorage
  /** The machine in which it is compiled, or runs; also while that is being given back. */
  environment_id: string | null
  /** The compiled program. */
  snapshot_id: string | null
  volume_id: string | null
  work: ColumnType<StoredPipelineWork, string | undefined, string>
  code: string
  udf_rust: string
  udf_toml: string
  /** Of its newest event. */
  event_sequence: Generated<string>
  event_at: Date | null
  /** Whether its details have changed since its newest event. */
  has_unrecorded: Generated<boolean>
}
export interface PipelineEventTable {
  pipeline_id: string
  /** Numbers the events of one pipeline without a gap. */
  sequence: string
  id: string
  recorded_at: Date
  statuses: JSONColumnType<PipelineStatuses>
  details: JSONColumnType<PipelineDetails>
}
export interface PipelineTables {
  pipelines: PipelineTable
  pipeline_events: PipelineEventTable
}
/** Without the texts of the program, which are large, and read where they are wanted only. */
export type PipelineRow = Omit<Selectable<PipelineTable>, 'code' | 'udf_rust' | 'udf_toml'>
export type PipelineTextRow = Pick<
  Selectable<PipelineTable>,
  'id' | 'spec' | 'code' | 'udf_rust' | 'udf_toml'
>
export type PipelineEventRow = Selectable<PipelineEventTable>

/** Of one that has just been made: all is so since then. */
export function newPipelineStatus(now: Date): StoredPipelineStatus {
  const at = now.toISOString()
  return {
    ...{ resourcesDetails: null, runtimeDetails: null, storageDetails: null },
    programError: noProgramError,
    deployment: null,
    error: null,
    since: {
      ...{ resources: at, desired: at, program: at, phase: at, desiredPhase: at },
      ...{ runtime: null, desiredRuntime: null },
    },
    ...{ version: 1, refreshVersion: 1, programVersion: 1 },
  }
}

export function toPipeline(row: PipelineRow): Pipeline {
  const { resources, desired, runtime, desired_runtime: desiredRuntime, program, storage } = row
  return {
    kind: 'Pipeline',
    metadata: metadataOf(row),
    spec: { ...row.spec, environmentClassId: row.environment_class_id, desired, desiredRuntime },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      ...{ resources, runtime, program, storage },
      ...row.status,
      observedSpecVersion: row.spec_version,
      failure: null,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}

export function toProgramText({ spec, code, udf_rust, udf_toml }: PipelineTextRow): PipelineProgramText {
  const { toolchain, configuration } = spec.program
  return { toolchain, code, udfRust: udf_rust, udfToml: udf_toml, configuration }
}

export function toPipelineEvent({ id, recorded_at, statuses, details }: PipelineEventRow): PipelineEvent {
  return { id, recordedAt: recorded_at.toISOString(), ...statuses, ...details }
}

export function statusesOf(row: PipelineRow): PipelineStatuses {
  return {
    resourcesStatus: row.resources,
    resourcesDesiredStatus: row.desired,
    runtimeStatus: row.runtime,
    runtimeDesiredStatus: row.desired_runtime,
    hasError: row.status.error !== null,
    programStatus: row.program,
    storageStatus: row.storage,
  }
}

export function detailsOf({ status }: PipelineRow): PipelineDetails {
  const { error, resourcesDetails, runtimeDetails, storageDetails } = status
  return { error, resourcesDetails, runtimeDetails, storageDetails }
}
