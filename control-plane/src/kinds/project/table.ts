import { defaultCheckpointRetention, type Failure, type Project, type ProjectSpec } from '@hearth/contract'
import type { Generated, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

/** Empty until it is being deleted. */
export interface StoredProjectStatus {
  failure?: Failure | null
  /** ISO 8601. */
  deadline?: string | null
}

export interface ProjectTable extends ResourceTable<ProjectSpec, StoredProjectStatus> {
  phase: Generated<'active' | 'deleting'>
  /** What Hearth keeps it for; null for one that somebody made. */
  kept_for: Generated<string | null>
}
export type ProjectRow = Selectable<ProjectTable>

export interface ProjectSecretTable {
  project_id: string
  name: string
  /** Encrypted; the context is project id and name. */
  value: Buffer
}
export interface ProjectTables {
  projects: ProjectTable
  project_secrets: ProjectSecretTable
}

/** Rows of an older version lack what came later. */
export function specOf({ spec }: Pick<ProjectRow, 'spec'>): ProjectSpec {
  const absent = {
    onHostLoss: 'wait',
    onCrash: 'restart',
    prebuilds: null,
    snapshots: defaultCheckpointRetention,
    life: {},
    environmentClasses: [],
    tasks: {},
    services: {},
  }
  return Object.assign(absent, spec)
}

export function toProject(row: ProjectRow): Project {
  return {
    kind: 'Project',
    metadata: metadataOf(row),
    spec: specOf(row),
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      observedSpecVersion: row.spec_version,
      failure: row.status.failure ?? null,
      deadline: row.status.deadline ?? null,
    },
    statusVersion: row.status_version,
  }
}
