import type { Failure, WebApp, WebAppPhase, WebAppSpec } from '@hearth/contract'
import type { ColumnType, Selectable } from 'kysely'
import { metadataOf, type ResourceTable } from '../../database/resource-row.ts'

export type StoredWebAppSpec = Omit<WebAppSpec, 'desired' | 'environmentId'>

/** What the status column holds; the rest of the wire's status are columns of their own. */
export interface StoredWebAppStatus {
  spaceIds: { uat: string; production: string }
  waitsFor: string | null
  failure: Failure | null
  observedSpecVersion: number
}

export interface WebAppTable extends ResourceTable<StoredWebAppSpec, StoredWebAppStatus> {
  environment_id: string
  phase: WebAppPhase
  phase_since: ColumnType<Date, Date | undefined, Date>
  deadline: Date | null
  desired: WebAppSpec['desired']
}
export interface WebAppTables {
  web_apps: WebAppTable
}
export type WebAppRow = Selectable<WebAppTable>

export function toWebApp(row: WebAppRow): WebApp {
  const { spaceIds, waitsFor, failure, observedSpecVersion } = row.status
  return {
    kind: 'WebApp',
    metadata: metadataOf(row),
    spec: { desired: row.desired, environmentId: row.environment_id, ...row.spec },
    specVersion: row.spec_version,
    status: {
      phase: row.phase,
      spaceIds,
      waitsFor,
      observedSpecVersion,
      failure,
      deadline: row.deadline?.toISOString() ?? null,
    },
    statusVersion: row.status_version,
  }
}
