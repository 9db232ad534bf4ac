import type {
  Failure,
  Prebuild,
  PrebuildDesiredPhase,
  PrebuildPhase,
  PrebuildSchedule,
  PrebuildSpec,
  PrebuildStatus,
  PrebuildTask,
  PrebuildTemplate,
  StepStatus,
} from '@hearth/contract'
import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

type StoredPrebuildSpec = Omit<PrebuildSpec, 'projectId' | 'environmentClassId' | 'desiredPhase'>

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredPrebuildStatus
  extends Pick<PrebuildStatus, 'templates' | 'warnings' | 'bytes' | 'observedSpecVersion'> {
  failure: Failure | null
  /** As they were when it ended; while it works they are its machine's. */
  steps: StepStatus[]
  /** The same for the tasks that it runs; absent before they began. */
  tasks?: PrebuildTask[]
}

export interface PrebuildTable extends ResourceTable<StoredPrebuildSpec, StoredPrebuildStatus> {
  project_id: string
  environment_class_id: string
  phase: PrebuildPhase
  desired_phase: PrebuildDesiredPhase
  phase_since: ColumnType<Date, Date | undefined, Date>
  deadline: Date | null
  started_at: Date | null
  ended_at: Date | null
  environment_id: string | null
  snapshot_id: string | null
  based_on_id: string | null
  configuration: string
  failed_boots: Generated<number>
  unexplained_boots: Generated<number>
  log_kept: Generated<boolean>
}
export interface PrebuildLogTable {
  prebuild_id: string
  position: number
  text: string
}
export interface PrebuildScheduleTable {
  project_id: string
  schedule: JSONColumnType<PrebuildSchedule>
  next_at: Date | null
}
export interface PrebuildDeliveryTable {
  project_id: string
  delivery: string
  received_at: Date
}
export interface PrebuildTables {
  prebuilds: PrebuildTable
  prebuild_logs: PrebuildLogTable
  prebuild_schedules: PrebuildScheduleTable
  prebuild_deliveries: PrebuildDeliveryTable
}
export type PrebuildRow = Selectable<PrebuildTable>

export const emptyPrebuildStatus: StoredPrebuildStatus = {
  templates: [],
  warnings: [],
  bytes: null,
  steps: [],
  failure: null,
  observedSpecVersion: 0,
}

/** What is read of its machine and of its snapshot while it works. */
export interface PrebuildFacts {
  steps: StepStatus[]
  tasks: PrebuildTask[]
  progress: PrebuildStatus['progress']
}

/** A template as it is written now: one of an older version says nothing of attempts, and was not tried again. */
export const wholeTemplate = (stored: PrebuildTemplate): PrebuildTemplate =>
  Object.assign({ failures: stored.failure === null ? 0 : 1, retryAt: null }, stored)

export function toPrebuild(row: PrebuildRow, facts: PrebuildFacts | null): Prebuild {
  const { templates, warnings, bytes, failure, observedSpecVersion } = row.status
  return {
    kind: 'Prebuild',
    metadata: metadataOf(row),
    spec: {
      ...row.spec,
      projectId: row.project_id,
      environmentClassId: row.environment_class_id,
      desiredPhase: row.desired_phase,
    },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      environmentId: row.environment_id,
      snapshotId: row.snapshot_id,
      basedOnId: row.based_on_id,
      templates: templates.map(wholeTemplate),
      warnings,
      progress: facts?.progress ?? null,
      bytes,
      planDigest: row.configuration,
      failedBoots: row.failed_boots,
      unexplainedBoots: row.unexplained_boots,
      steps: facts?.steps ?? row.status.steps,
      tasks: facts?.tasks ?? row.status.tasks ?? [],
      startedAt: row.started_at?.toISOString() ?? null,
      completedAt: row.ended_at?.toISOString() ?? null,
      observedSpecVersion,
      failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}
