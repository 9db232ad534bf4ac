import type { Deployment, DeploymentPhase, DeploymentSpec, Failure } from '@hearth/contract'
import type { ColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export interface StoredDeploymentSpec
  extends Pick<DeploymentSpec, 'desired' | 'origin' | 'ofDeploymentId' | 'displayName'> {
  /** Of its space, when it was asked for. */
  variables: Record<string, string>
}

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredDeploymentStatus {
  step: string | null
  waitsFor: string | null
  isCurrent: boolean
  /** Release commands that are done. */
  released: number
  /** Processes of the release before whose services were ended for this one; null before that was done. */
  endedRoles: string[] | null
  /** Whether requests may be led to it already. */
  isSwitching: boolean
  failure: Failure | null
  observedSpecVersion: number
}

export interface DeploymentTable extends ResourceTable<StoredDeploymentSpec, StoredDeploymentStatus> {
  space_id: string
  web_app_id: string
  environment_id: string
  artifact_id: string
  release_id: string
  phase: DeploymentPhase
  phase_since: ColumnType<Date, Date | undefined, Date>
  deadline: Date | null
  /** null while it is underway. */
  finished_at: Date | null
}
export interface DeploymentTables {
  deployments: DeploymentTable
}
export type DeploymentRow = Selectable<DeploymentTable>

export const emptyDeploymentStatus: StoredDeploymentStatus = {
  step: null,
  waitsFor: null,
  isCurrent: false,
  released: 0,
  endedRoles: null,
  isSwitching: false,
  failure: null,
  observedSpecVersion: 0,
}

export function toDeployment(row: DeploymentRow): Deployment {
  const { step, waitsFor, isCurrent, failure, observedSpecVersion } = row.status
  const { variables: _, ...spec } = row.spec
  return {
    kind: 'Deployment',
    metadata: metadataOf(row),
    spec: {
      spaceId: row.space_id,
      webAppId: row.web_app_id,
      artifactId: row.artifact_id,
      releaseId: row.release_id,
      ...spec,
    },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      step,
      waitsFor,
      isCurrent,
      finishedAt: row.finished_at?.toISOString() ?? null,
      observedSpecVersion,
      failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}
