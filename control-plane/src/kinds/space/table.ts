import type { Failure, RouteDomain, Space, SpacePhase, SpaceSpec, SpaceType } from '@hearth/contract'
import type { ColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export type StoredSpaceSpec = Pick<SpaceSpec, 'variables' | 'cronJobs'>

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredSpaceStatus {
  /** The addresses are told as the route that leads to it has them. */
  platformDomain: string | null
  url: string | null
  /** Absent, as how it stands, in spaces that are older than custom domains. */
  customDomain?: string | null
  domain?: RouteDomain | null
  lastDeployment: Space['status']['lastDeployment']
  /** The releases whose folders are kept, the newest first. */
  releases: string[]
  /** Incarnation of the machine in which they were prepared. */
  incarnation: number
  /** Cron jobs that cannot be run, by name, and why. */
  refusedCronJobs: Record<string, string>
  /** The deployment after which what was left of older releases was removed. */
  tidiedFor: string | null
  waitsFor: string | null
  failure: Failure | null
  observedSpecVersion: number
}

export interface SpaceTable extends ResourceTable<StoredSpaceSpec, StoredSpaceStatus> {
  web_app_id: string
  environment_id: string
  type: SpaceType
  phase: SpacePhase
  phase_since: ColumnType<Date, Date | undefined, Date>
  deadline: Date | null
  desired: SpaceSpec['desired']
  route_id: string | null
  /** Whose release gets its requests. */
  current_deployment_id: string | null
}
export interface SpaceTables {
  spaces: SpaceTable
}
export type SpaceRow = Selectable<SpaceTable>

export const emptySpaceStatus: StoredSpaceStatus = {
  platformDomain: null,
  url: null,
  customDomain: null,
  domain: null,
  lastDeployment: null,
  releases: [],
  incarnation: 1,
  refusedCronJobs: {},
  tidiedFor: null,
  waitsFor: null,
  failure: null,
  observedSpecVersion: 0,
}

export function toSpace(row: SpaceRow): Space {
  const { platformDomain, url, customDomain = null, domain = null } = row.status
  const { lastDeployment, waitsFor, failure } = row.status
  return {
    kind: 'Space',
    metadata: metadataOf(row),
    spec: {
      desired: row.desired,
      webAppId: row.web_app_id,
      environmentId: row.environment_id,
      type: row.type,
      ...row.spec,
      customDomain,
    },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      routeId: row.route_id,
      platformDomain,
      url,
      domain,
      currentDeploymentId: row.current_deployment_id,
      lastDeployment,
      waitsFor,
      observedSpecVersion: row.status.observedSpecVersion,
      failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}
