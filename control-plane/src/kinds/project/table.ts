import type { Project, ProjectSpec } from '@hearth/contract'
import type { Generated, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface ProjectTable extends ResourceTable<ProjectSpec, Record<string, never>> {
  phase: Generated<'active' | 'deleting'>
}
export type ProjectRow = Selectable<ProjectTable>

export interface ProjectSecretTable {
  project_id: string
  name: string
  /** Encrypted; the context is project id and name. */
  value: Buffer
}

export function toProject(row: ProjectRow): Project {
  return {
    kind: 'Project',
    metadata: metadataOf(row),
    spec: row.spec,
    specVersion: row.spec_version,
    status: { phase: row.phase, observedSpecVersion: row.spec_version, failure: null, deadline: null },
    statusVersion: row.status_version,
  }
}
